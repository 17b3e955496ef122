#include <iostream>

#include "client.hpp"
#include "command.hpp"
#include "doctor/base/text.hpp"

namespace doctor::app {
namespace {

int export_lines(Client& client, const std::vector<std::string>& collections) {
  std::string target = "/export";
  for (const std::string& collection : collections) {
    target += target.find('?') == target.npos ? "?collection=" : "&collection=";
    target += percent_encode(collection);
  }
  const auto answer = client.send({"GET", target, {}, {}}, [](std::string_view piece) {
    std::cout << piece;
    return std::cout.good();  // false: nobody reads any more, or the disk is full
  });
  if (answer && !std::cout.flush().good()) {
    client.complain("cannot write the output");
    return exit_failure;
  }
  return answer.status;
}

}  // namespace

void add_export(CLI::App& program, Run& run) {
  CLI::App* command =
      program.add_subcommand("export", "Print every document as a line of JSON (needs the secret)");
  auto options = add_client_options(*command);
  auto collections = std::make_shared<std::vector<std::string>>();
  command->add_option("COLLECTION", *collections, "none: all");
  command->footer(
      "All lines are of one revision. Each is {\"collection\": ..., \"document\": ...}, which\n"
      "`doctor import` reads again.\n"
      "Examples:\n"
      "  doctor export > everything.jsonl\n"
      "  doctor export vm disk | doctor import --server http://other:3000 -");
  command->final_callback([=, &run] {
    run = [=] {
      return with_client("export", *options,
                         [&](Client& client) { return export_lines(client, *collections); });
    };
  });
}

}  // namespace doctor::app
