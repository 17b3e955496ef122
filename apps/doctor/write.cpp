#include "write.hpp"

#include <iostream>

#include "command.hpp"
#include "write_summary.hpp"

namespace doctor::app {

int write_and_tell(Client& client, const HttpRequest& request) {
  const auto answer = client.send(request);
  if (!answer) return answer.status;
  if (request.method == "DELETE") {
    const std::string revision(answer.reply.header("Doctor-Revision"));
    std::cout << (client.json() ? "{\"revision\":" + revision + "}"
                                : "removed; revision " + revision)
              << '\n';
  } else if (client.json()) {
    std::cout << answer.reply.body << '\n';
  } else {
    WriteSummary summary;
    summary.add(answer.reply.body);
    std::cout << summary.sentence() << '\n';
  }
  return exit_success;
}

int write_and_tell(Client& client, HttpRequest request, const std::string& body) {
  const auto text = read_body(body);
  if (!text || text->empty()) {
    client.complain(text ? "there is no body" : text.error().detail);
    return exit_usage;
  }
  request.body = *text;
  return write_and_tell(client, request);
}

std::string PatchKind::content_type() const {
  if (merge) return "application/merge-patch+json";
  return json_patch ? "application/json-patch+json" : "application/json";
}

void add_patch_options(CLI::App& command, PatchKind& kind) {
  CLI::Option* merge =
      command.add_flag("--merge", kind.merge, "BODY is a JSON Merge Patch (RFC 7396)");
  command.add_flag("--json-patch", kind.json_patch, "BODY is a JSON Patch (RFC 6902)")
      ->excludes(merge);
}

}  // namespace doctor::app
