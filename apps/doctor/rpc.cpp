#include <cmath>

#include "command.hpp"
#include "doctor/json/scanner.hpp"
#include "json_output.hpp"
#include "stomp_client.hpp"

namespace doctor::app {
namespace {

struct Arguments {
  std::string method;
  std::string params;
  double timeout = 180;
};

// Empty, or a JSON array or object.
Result<std::string> read_params(const std::string& argument) {
  if (argument.empty()) return std::string();
  const auto text = read_body(argument);
  if (!text) return text;
  auto params = json::compact(*text, json::Scanner::deepest);
  if (!params) return invalid("PARAMS is not JSON: " + params.error().detail);
  if (!params->starts_with('{') && !params->starts_with('[')) {
    return invalid("PARAMS must be an object or an array");
  }
  return params;
}

int call(const StompOptions& options, const Arguments& arguments) {
  const auto usage = [](std::string_view why) {
    complain("rpc", why);
    return exit_usage;
  };
  const auto params = read_params(arguments.params);
  if (!params) return usage(params.error().detail);
  auto where = stomp_options(options);
  if (!where) return usage(where.error().detail);
  where->attempts = 1;
  auto client = client::Client::open(std::move(*where));
  if (!client) return usage(client.error().message);
  client::CallOptions how;
  how.timeout = std::chrono::milliseconds(std::llround(arguments.timeout * 1000));
  const auto answer = client->call(arguments.method, *params, how).get();
  if (!answer) return tell_failure("rpc", answer.error());
  print_json(*answer, options.json);
  return exit_success;
}

}  // namespace

void add_rpc(CLI::App& program, Run& run) {
  CLI::App* command = program.add_subcommand("rpc", "Call a method by JSON-RPC, over STOMP");
  auto options = add_stomp_options(*command);
  add_json_option(*command, *options);
  auto arguments = std::make_shared<Arguments>();
  command->add_option("METHOD", arguments->method)->required();
  command->add_option("PARAMS", arguments->params,
                      "an object or an array: JSON, @FILE, or - for standard input");
  command->add_option("--timeout", arguments->timeout, "how long to wait for the answer")
      ->check(CLI::Range(0.001, 86'400.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->footer(
      "The result goes to standard output, an error with its code to standard error.\n"
      "Examples:\n"
      "  doctor rpc rpc.methods\n"
      "  doctor rpc Entity.list '{\"collection\": \"vm\", \"query\": {\"select\": [\"name\"]}}'\n"
      "  doctor rpc --server stomps://host1:54321 --vdsm --cacert ca.pem --cert engine.pem "
      "Host.ping");
  command->final_callback([=, &run] { run = [=] { return call(*options, *arguments); }; });
}

}  // namespace doctor::app
