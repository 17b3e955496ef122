// The sub-commands that are one request about documents: get, query, post, put, patch, delete.
#include <iostream>

#include "client.hpp"
#include "command.hpp"
#include "doctor/base/text.hpp"
#include "json_output.hpp"
#include "write.hpp"

namespace doctor::app {
namespace {

constexpr const char* body_help = "JSON, @FILE, or - for standard input";

struct Arguments {
  std::string collection;
  std::string id;
  std::string text;  // a query or a body
  PatchKind patch;
  bool all = false;
};

/// `COLLECTION [ID] TEXT`: the text comes last, whether or not an id stands before it.
void add_words(CLI::App& command, Arguments& arguments, const std::string& text_name) {
  command.add_option("COLLECTION", arguments.collection)->required();
  command.add_option("ID", arguments.id);
  command.add_option(text_name, arguments.text, body_help);
  command.parse_complete_callback([&arguments, text_name] {
    if (arguments.text.empty()) std::swap(arguments.text, arguments.id);
    if (arguments.text.empty()) throw CLI::RequiredError(text_name);
  });
}

int get(Client& client, const Arguments& arguments) {
  std::string target = entity_path("/entities", arguments.collection, arguments.id);
  if (!arguments.text.empty()) target += "?q=" + percent_encode(arguments.text);
  const auto answer = client.send({"GET", target, {}, {}});
  if (answer) print_json(answer.reply.body, client.json());
  return answer.status;
}

/// Sends the query in a body, where it may be as long as it likes.
int query(Client& client, const Arguments& arguments) {
  const auto text = read_body(arguments.text);
  if (!text) {
    client.complain(text.error().detail);
    return exit_usage;
  }
  const auto answer = client.send({"POST",
                                   entity_path("/query", arguments.collection, arguments.id),
                                   {{"Content-Type", "application/json"}},
                                   *text});
  if (!answer) return answer.status;
  print_json(answer.reply.body, client.json());
  // What an answer tells beside its body goes to standard error, so that a pipe stays clean.
  if (const auto total = answer.reply.header("Doctor-Total-Count"); !total.empty())
    std::cerr << "total: " << total << '\n';
  if (const auto next = answer.reply.header("Doctor-Next"); !next.empty())
    std::cerr << "next page: the same query with \"after\": \"" << next << "\"\n";
  return exit_success;
}

int write(Client& client, const std::string& method, const Arguments& arguments) {
  return write_and_tell(client,
                        {method,
                         entity_path("/entities", arguments.collection, arguments.id),
                         {{"Content-Type", arguments.patch.content_type()}},
                         {}},
                        arguments.text);
}

int remove(Client& client, const Arguments& arguments) {
  return write_and_tell(
      client, {"DELETE", entity_path("/entities", arguments.collection, arguments.id), {}, {}});
}

using Act = std::function<int(Client&, const Arguments&)>;

/// Makes the sub-command; the caller adds its arguments.
CLI::App* add(CLI::App& program, Run& run, const std::string& name, const std::string& about,
              const std::shared_ptr<Arguments>& arguments, Act act) {
  CLI::App* command = program.add_subcommand(name, about);
  auto options = add_client_options(*command);
  add_json_option(*command, *options);
  command->final_callback([=, &run] {
    run = [=] {
      return with_client(name, *options, [&](Client& client) { return act(client, *arguments); });
    };
  });
  return command;
}

}  // namespace

void add_get(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "get", "Read the collections, one of them, or a document", arguments, get);
  command->add_option("COLLECTION", arguments->collection, "none: the collections and their sizes");
  command->add_option("ID", arguments->id, "one document of it");
  command->add_option("-q,--query", arguments->text, "a query for it")->type_name("JSON");
  command->footer(
      "Examples:\n"
      "  doctor get\n"
      "  doctor get vm\n"
      "  doctor get vm 1 --query '{\"select\": [\"name\", \"@cluster.name\"]}'");
}

void add_query(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "query", "Ask a collection or a document a query", arguments, query);
  add_words(*command, *arguments, "QUERY");
  command->footer(
      "The total that \"count\" asks for, and the cursor of the next page, go to standard error.\n"
      "Examples:\n"
      "  doctor query vm '{\"select\": [\"name\", \"@[disk].name\"], \"where\": {\"status\": "
      "\"up\"}}'\n"
      "  doctor query vm 1 '{\"select\": \"@cluster.@data_center.name\"}'\n"
      "  doctor query vm @report.json --json > report");
}

void add_post(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "post", "Create or replace one document or an array of them", arguments,
          [](Client& client, const Arguments& given) { return write(client, "POST", given); });
  command->add_option("COLLECTION", arguments->collection)->required();
  command->add_option("BODY", arguments->text, body_help)->required();
  command->footer(
      "Examples:\n"
      "  doctor post vm '{\"id\": \"1\", \"name\": \"vm1\", \"status\": \"up\"}'\n"
      "  doctor post vm @vms.json");
}

void add_put(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "put", "Make a document, or a whole collection, exactly this", arguments,
          [](Client& client, const Arguments& given) { return write(client, "PUT", given); });
  add_words(*command, *arguments, "BODY");
  command->footer(
      "Without ID the body is an array: documents that it lacks are removed.\n"
      "Examples:\n"
      "  doctor put vm 1 '{\"name\": \"vm1\", \"status\": \"down\"}'\n"
      "  doctor put vm @vms.json");
}

void add_patch(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "patch", "Change fields of a document", arguments,
          [](Client& client, const Arguments& given) { return write(client, "PATCH", given); });
  command->add_option("COLLECTION", arguments->collection)->required();
  command->add_option("ID", arguments->id)->required();
  command->add_option("BODY", arguments->text, body_help)->required();
  add_patch_options(*command, arguments->patch);
  command->footer(
      "Without --merge or --json-patch the body's top-level fields are set; null removes one.\n"
      "Examples:\n"
      "  doctor patch vm 1 '{\"status\": \"down\"}'\n"
      "  doctor patch vm 1 --json-patch '[{\"op\": \"remove\", \"path\": \"/status\"}]'");
}

void add_delete(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add(program, run, "delete", "Remove a document, or all of a collection", arguments, remove);
  command->add_option("COLLECTION", arguments->collection)->required();
  CLI::Option* id = command->add_option("ID", arguments->id);
  CLI::Option* all =
      command->add_flag("--all", arguments->all, "remove every document of the collection");
  command->parse_complete_callback([id, all] {
    if (id->empty() == all->empty()) throw CLI::ValidationError("give either an ID or --all");
  });
  command->footer(
      "Examples:\n"
      "  doctor delete vm 1\n"
      "  doctor delete vm --all");
}

}  // namespace doctor::app
