#include "client.hpp"
#include "command.hpp"
#include "json_output.hpp"

namespace doctor::app {
namespace {

constexpr std::string_view root = "/mqtt/clients";

struct Arguments {
  std::string id;
  bool end_session = false;
};

// Where the next page is: `<target>; rel="next"`; empty if this is the last.
std::string next_page(const HttpReply& reply) {
  const std::string_view link = reply.header("Link");
  const auto end = link.find('>');
  return link.starts_with('<') && end != link.npos ? std::string(link.substr(1, end - 1)) : "";
}

int list(Client& client) {
  std::string all = "[";
  for (std::string target = std::string(root) + "?limit=1000"; !target.empty();) {
    const auto answer = client.send({"GET", target, {}, {}});
    if (!answer) return answer.status;
    const std::string_view page = answer.reply.body;
    if (page.size() > 2) all.append(all.size() > 1 ? "," : "").append(page, 1, page.size() - 2);
    target = next_page(answer.reply);
  }
  print_json(all + "]", client.json());
  return exit_success;
}

int get(Client& client, const Arguments& arguments) {
  const auto answer = client.send({"GET", entity_path(root, arguments.id, {}), {}, {}});
  if (answer) print_json(answer.reply.body, client.json());
  return answer.status;
}

int disconnect(Client& client, const Arguments& arguments) {
  const std::string target =
      entity_path(root, arguments.id, {}) + (arguments.end_session ? "?session=true" : "");
  const auto answer = client.send({"DELETE", target, {}, {}});
  if (answer) print_json(answer.reply.body, client.json());
  return answer.status;
}

}  // namespace

void add_clients(CLI::App& program, Run& run) {
  CLI::App* clients =
      program.add_subcommand("clients", "MQTT clients, connected and away (needs the secret)");
  clients->require_subcommand(1);
  clients->footer(
      "Examples:\n"
      "  doctor clients list\n"
      "  doctor clients get connector:sensor-7\n"
      "  doctor clients disconnect connector:sensor-7 --end-session");

  using Act = std::function<int(Client&, const Arguments&)>;
  const auto add = [&](const std::string& name, const std::string& about, bool id, Act act) {
    CLI::App* command = clients->add_subcommand(name, about);
    auto options = add_client_options(*command);
    add_json_option(*command, *options);
    auto arguments = std::make_shared<Arguments>();
    if (id) command->add_option("ID", arguments->id, "`id` as the list gives it")->required();
    if (name == "disconnect") {
      command->add_flag("--end-session", arguments->end_session,
                        "End its session too, with all that waits for it");
    }
    command->final_callback([=, &run] {
      run = [=] {
        return with_client("clients " + name, *options,
                           [&](Client& client) { return act(client, *arguments); });
      };
    });
  };
  add("list", "All clients", false, [](Client& client, const Arguments&) { return list(client); });
  add("get", "One client", true, get);
  add("disconnect", "End the connection of one", true, disconnect);
}

}  // namespace doctor::app
