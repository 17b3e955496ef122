#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "http_client.hpp"

namespace doctor::app {

/// The options that every client sub-command has; those that speak STOMP have another server.
struct ClientOptions {
  std::string server = "http://localhost:3000";
  std::string secret_file;
  std::string session;
  TlsFiles tls;
  bool json = false;
};

/// Adds the options (but `--json`, see below) to a sub-command; they are kept alive by it.
std::shared_ptr<ClientOptions> add_client_options(CLI::App& command);
/// The same without `--server`.
void add_credential_options(CLI::App& command, ClientOptions& options);
/// `--json`, for a sub-command whose answer people would script.
void add_json_option(CLI::App& command, ClientOptions& options);

/// The connector's secret: from the file, or the environment; empty: none is given. Errc::invalid
/// if the file cannot be read.
Result<std::string> read_secret(const ClientOptions& options);

/// Speaks to the server for one sub-command, and tells its failures to the user.
class Client {
 public:
  /// @param command  the sub-command's name, in front of what is told
  /// Errc::invalid if the file of the secret cannot be read.
  static Result<Client> open(std::string command, const ClientOptions& options);

  /// The answer if it is 2xx. Otherwise the failure has been told: `status` is what to exit with.
  struct Answer {
    int status;
    HttpReply reply;
    explicit operator bool() const { return status == 0; }
  };
  Answer send(const HttpRequest& request, const HttpClient::Sink& sink = {});
  /// The same without telling anything but that the server cannot be reached: refusals are the
  /// caller's to explain.
  Answer try_send(const HttpRequest& request, const HttpClient::Sink& sink = {});

  /// Writes `doctor COMMAND: text` to standard error.
  void complain(std::string_view text) const;
  bool json() const { return json_; }

 private:
  Client(std::string command, bool json, HttpClient http);
  std::string command_;
  bool json_;
  HttpClient http_;
};

/// Opens a client and runs `body(client)`, or says why that cannot be.
int with_client(const std::string& command, const ClientOptions& options,
                const std::function<int(Client&)>& body);

/// What a refusal says: "404 Not Found: there is no document ...".
std::string describe_refusal(const HttpReply& reply);

/// The value of a string or number member of a compact object; empty if there is none.
std::string member(std::string_view object, std::string_view name);

/// `/entities/vm` or `/entities/vm/1`, percent-encoded; `id` may be empty.
std::string entity_path(std::string_view root, std::string_view collection, std::string_view id);

/// The text of a body argument: itself, `@FILE`, or `-` for standard input. Errc::invalid if it
/// cannot be read.
Result<std::string> read_body(const std::string& argument);

}  // namespace doctor::app
