#include "client.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "command.hpp"
#include "doctor/base/text.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/json/value.hpp"

namespace doctor::app {
namespace {

Result<std::string> read_all(std::istream& input, const std::string& name) {
  std::string text{std::istreambuf_iterator<char>(input), {}};
  if (input.bad() || (text.empty() && input.fail() && !input.eof()))
    return invalid("cannot read " + name);
  return text;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("cannot open " + path);
  return read_all(file, path);
}

}  // namespace

std::shared_ptr<ClientOptions> add_client_options(CLI::App& command) {
  auto options = std::make_shared<ClientOptions>();
  command.add_option("--server", options->server, "the server's address")
      ->envname("DOCTOR_URL")
      ->type_name("URL")
      ->capture_default_str()
      ->group("Server");
  add_credential_options(command, *options);
  return options;
}

void add_credential_options(CLI::App& command, ClientOptions& options) {
  command
      .add_option("--secret-file", options.secret_file,
                  "a file that holds the connector's secret (or: the environment's SECRET)")
      ->type_name("FILE")
      ->group("Server");
  command.add_option("--session", options.session, "read as this session")
      ->envname("DOCTOR_SESSION")
      ->type_name("ID")
      ->group("Server");
  const auto add_file = [&command](const char* name, std::string& into, const char* variable,
                                   const char* what) {
    command.add_option(name, into, what)->envname(variable)->type_name("FILE")->group("Server");
  };
  add_file("--cacert", options.tls.ca, "DOCTOR_CACERT",
           "PEM: who signed the server's certificate, if the system does not know");
  add_file("--cert", options.tls.cert, "DOCTOR_CERT", "PEM: a certificate of our own to show");
  add_file("--key", options.tls.key, "DOCTOR_KEY", "PEM: its key, if not in the same file");
}

void add_json_option(CLI::App& command, ClientOptions& options) {
  command.add_flag("--json", options.json, "print the answer as the server gave it, for scripts");
}

Client::Client(std::string command, bool json, HttpClient http)
    : command_(std::move(command)), json_(json), http_(std::move(http)) {}

Result<std::string> read_secret(const ClientOptions& options) {
  if (options.secret_file.empty()) {
    const char* value = std::getenv("SECRET");
    return std::string(value == nullptr ? "" : value);
  }
  auto secret = read_file(options.secret_file);
  if (!secret) return secret;
  while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
  return secret;
}

Result<Client> Client::open(std::string command, const ClientOptions& options) {
  auto secret = read_secret(options);
  if (!secret) return secret.error();
  std::vector<std::pair<std::string, std::string>> headers;
  if (!secret->empty()) headers.emplace_back("SECRET", std::move(*secret));
  if (!options.session.empty()) headers.emplace_back("SESSION", options.session);
  return Client(std::move(command), options.json,
                HttpClient(options.server, options.tls, std::move(headers)));
}

void Client::complain(std::string_view text) const {
  std::cerr << "doctor " << command_ << ": " << text << '\n';
}

Client::Answer Client::try_send(const HttpRequest& request, const HttpClient::Sink& sink) {
  auto reply = http_.send(request, sink);
  if (!reply) {
    complain(reply.error().detail);
    return {reply.error().code == Errc::invalid ? exit_usage : exit_unreachable, {}};
  }
  return {reply->ok() ? exit_success : exit_failure, std::move(*reply)};
}

Client::Answer Client::send(const HttpRequest& request, const HttpClient::Sink& sink) {
  Answer answer = try_send(request, sink);
  if (answer.status == exit_failure) complain(describe_refusal(answer.reply));
  return answer;
}

int with_client(const std::string& command, const ClientOptions& options,
                const std::function<int(Client&)>& body) {
  auto client = Client::open(command, options);
  if (client) return body(*client);
  std::cerr << "doctor " << command << ": " << client.error().detail << '\n';
  return exit_usage;
}

std::string describe_refusal(const HttpReply& reply) {
  std::string text = std::to_string(reply.status);
  const auto problem = json::compact(reply.body, 64);
  if (!problem || json::kind(*problem) != json::Kind::object) return text + " from the server";
  const auto append = [&](std::string_view before, std::string_view name) {
    if (const std::string value = member(*problem, name); !value.empty())
      text.append(before).append(value);
  };
  append(" ", "title");
  append(": ", "detail");
  append("; id ", "id");
  append("; field ", "field");
  append("; at byte ", "offset");
  return text;
}

std::string member(std::string_view object, std::string_view name) {
  for (const json::Member& own : json::Members(object)) {
    if (json::unescape(own.name) != name) continue;
    return json::is_string(own.value) ? json::unescape(json::content(own.value))
                                      : std::string(own.value);
  }
  return {};
}

std::string entity_path(std::string_view root, std::string_view collection, std::string_view id) {
  std::string path(root);
  if (!collection.empty()) path.append("/").append(percent_encode(collection));
  if (!id.empty()) path.append("/").append(percent_encode(id));
  return path;
}

Result<std::string> read_body(const std::string& argument) {
  if (argument == "-") return read_all(std::cin, "standard input");
  if (argument.starts_with('@')) return read_file(argument.substr(1));
  return argument;
}

}  // namespace doctor::app
