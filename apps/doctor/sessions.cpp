#include "client.hpp"
#include "command.hpp"
#include "json_output.hpp"
#include "write.hpp"

namespace doctor::app {
namespace {

struct Arguments {
  std::string id;
  std::string body;
  PatchKind patch;
};

int read(Client& client, const Arguments& arguments) {
  const auto answer = client.send({"GET", entity_path("/sessions", arguments.id, {}), {}, {}});
  if (answer) print_json(answer.reply.body, client.json());
  return answer.status;
}

int write(Client& client, const std::string& method, const Arguments& arguments) {
  return write_and_tell(client,
                        {method,
                         entity_path("/sessions", arguments.id, {}),
                         {{"Content-Type", arguments.patch.content_type()}},
                         {}},
                        arguments.body);
}

int remove(Client& client, const Arguments& arguments) {
  return write_and_tell(client, {"DELETE", entity_path("/sessions", arguments.id, {}), {}, {}});
}

}  // namespace

void add_sessions(CLI::App& program, Run& run) {
  CLI::App* sessions =
      program.add_subcommand("sessions", "Readers and what they may see (needs the secret)");
  sessions->require_subcommand(1);
  sessions->footer(
      "Examples:\n"
      "  doctor sessions put 7c9e6679f7424de9 '{\"permissions\": {\"vm\": [\"1\", \"2\"], "
      "\"cluster\": \"*\"}}'\n"
      "  doctor sessions list\n"
      "  doctor get vm --session 7c9e6679f7424de9");

  using Act = std::function<int(Client&, const Arguments&)>;
  const auto add = [&](const std::string& name, const std::string& about, bool id, bool body,
                       Act act) {
    CLI::App* command = sessions->add_subcommand(name, about);
    auto options = add_client_options(*command);
    add_json_option(*command, *options);
    auto arguments = std::make_shared<Arguments>();
    if (id) command->add_option("ID", arguments->id)->required();
    if (body)
      command->add_option("BODY", arguments->body, "JSON, @FILE, or - for standard input")
          ->required();
    if (name == "patch") add_patch_options(*command, arguments->patch);
    command->final_callback([=, &run] {
      run = [=] {
        return with_client("sessions " + name, *options,
                           [&](Client& client) { return act(client, *arguments); });
      };
    });
  };
  add("list", "All sessions", false, false, read);
  add("get", "One session", true, false, read);
  add("put", "Create or replace a session", true, true,
      [](Client& client, const Arguments& given) { return write(client, "PUT", given); });
  add("patch", "Change fields of a session", true, true,
      [](Client& client, const Arguments& given) { return write(client, "PATCH", given); });
  add("delete", "End a session: its connections are closed", true, false, remove);
}

}  // namespace doctor::app
