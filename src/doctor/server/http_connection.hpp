#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "doctor/rest/service.hpp"
#include "doctor/server/deadlines.hpp"
#include "doctor/server/http_parser.hpp"
#include "doctor/server/input_buffer.hpp"
#include "doctor/server/io_thread.hpp"
#include "doctor/server/net.hpp"
#include "doctor/server/outbox.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {

/// One HTTP connection: carries octets between its stream, the parser and rest::Service, request by
/// request. Belongs to one I/O thread; the coroutine `serve` keeps it alive and is the only one
/// that reads or writes the stream.
///
/// What is judged where: framing by HttpParser, meaning and visibility by rest::Service; here only
/// what needs time or memory: limits, time-outs, waiting.
class HttpConnection final : public Watched, public std::enable_shared_from_this<HttpConnection> {
 public:
  /// What the listener is for: everything, or only /metrics, /healthz and /readyz.
  enum class Role : std::uint8_t { api, operations };

  /// @param place  one of Shared::connections, given back when the connection ends
  HttpConnection(IoThread& thread, Shared& shared, Stream stream, std::string peer, Share place,
                 Role role);
  void start();

  void expired() override;
  void wind_up() override;
  void abort() override;

 private:
  /// What is still to be done for the request at hand.
  enum class Step : std::uint8_t {
    answered,
    read_body,
    plan_large,
    delay_login,
    wait_for_revision,
    read_large,
    write,
    send_export,
    send_metrics,
    ask_broker,
    upgrade,
  };

  Task<void> serve();
  bool take_head();
  std::span<char> prepare_to_read_head();
  bool head_octets_came(const error_code& failure, std::size_t count);
  Task<void> complete(Step step);

  // The steps of a request. Those without waiting are plain functions: a GET that is answered at
  // once costs no coroutine.
  bool answer_as_before();
  void begin_figures();
  Step begin();
  Step begin_operations();
  Step own(rest::Own own);
  Step plan(std::string body);
  using Planned = rest::Service::Plan;
  Step planned(Planned planned);
  Step read();
  Task<Step> read_body();
  /// An error is to be answered; false: the client has gone.
  Task<Result<bool>> receive_sized(std::string& body);
  Task<Result<bool>> receive_chunked(std::string& body);
  Task<Result<std::size_t>> receive(std::span<char> room);
  Task<void> delay_login();
  Task<Step> wait_for_revision();
  template <class T, class Work>
  Task<T> by_reader(Work work);
  Task<Step> plan_large();
  Task<void> read_large();
  Task<void> write();
  Task<void> send_export();
  Task<void> send_metrics();
  Task<void> ask_broker();
  Task<void> upgrade();

  Step answer(rest::Response response);
  Step refuse(const Error& error);
  static Error internal(const std::exception& bug);
  void keep_answer(const rest::Response& response, std::string_view text);
  void note_answer(std::string_view route, int status);
  Persistence persistence();
  bool skip_unread_body();
  bool is_for_mqtt() const;

  Task<bool> flush(Clock::time_point until = never);
  Task<void> end();
  Task<void> linger();

  IoThread& thread_;
  Shared& shared_;
  Stream stream_;
  const std::string peer_;
  Share place_;
  Counted counted_;
  const Role role_;

  InputBuffer input_;
  HttpParser parser_;
  Outbox outbox_;
  bool timed_out_ = false;  // the deadline has passed; the operation under way was cancelled
  bool winding_up_ = false;
  bool close_ = false;   // after the answers that are in the outbox
  bool linger_ = false;  // at the end, for what the client may still be sending
  bool idle_ = false;    // waiting for the first octet of a request
  Clock::time_point head_deadline_ = never;
  Clock::time_point answered_;  // when the last request was, until the next read

  // Of the request at hand.
  struct Request {
    rest::RequestHead head;
    std::size_t size = 0;  // of the head, in input_ until the body is read
    InputBuffer memory;    // what the views of the head point into, once the body is read
    bool body_unread = false;
    Clock::time_point began;
    Timestamp wall;  // what it is judged by, unless it had to wait
    std::uint64_t number = 0;
    std::shared_ptr<const rest::Service> service;
    std::unique_ptr<store::Snapshot> snapshot;
    std::optional<rest::Admitted> admitted;
    std::variant<std::monostate, rest::Read, rest::Write, rest::ExportRead, rest::ClientsRequest,
                 rest::FailedLogin>
        next;
    std::size_t body_max = 0;
    std::string body;  // until it is planned
    Share body_share;
  };
  Request request_;
};

}  // namespace doctor::server
