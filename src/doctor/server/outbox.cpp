#include "doctor/server/outbox.hpp"

#include <charconv>

namespace doctor::server {
namespace {

// What a status line calls a status (RFC 9110 §15); a client reads the number only.
std::string_view reason(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// RFC 9110 §6.4.1, §8.6: 204 and 304 have no body; the size of a body that a HEAD did not make is
// not known.
bool has_length(const rest::Response& response) {
  if (response.status == 204 || response.status == 304) return false;
  return response.send_body || !response.octets().empty();
}

}  // namespace

void Outbox::begin_head(const rest::Response& response, Persistence persistence,
                        std::string_view date_line) {
  small_ += "HTTP/1.1 ";
  append_number(small_, static_cast<std::size_t>(response.status));
  small_ += ' ';
  small_ += reason(response.status);
  small_ += "\r\n";
  small_ += date_line;
  if (persistence == Persistence::close) small_ += "Connection: close\r\n";
  if (persistence == Persistence::keep_and_tell) small_ += "Connection: keep-alive\r\n";
}

void Outbox::end_head(const rest::Response& response) {
  small_ += response.headers;
  small_ += "\r\n";
}

bool Outbox::add(rest::Response& response, Persistence persistence, std::string_view date_line) {
  const std::size_t size = response.octets().size();
  const bool large = response.send_body && size > small_body;
  if (large && !share_.grow_to(size)) return false;
  begin_head(response, persistence, date_line);
  if (has_length(response)) {
    small_ += "Content-Length: ";
    append_number(small_, size);
    small_ += "\r\n";
  }
  end_head(response);
  if (large) {
    large_ = response.shared_body ? std::move(response.shared_body)
                                  : std::make_shared<const std::string>(std::move(response.body));
  } else if (response.send_body && has_length(response)) {
    small_ += response.octets();
  }
  return true;
}

void Outbox::add_head(const rest::Response& response, Persistence persistence,
                      std::string_view date_line, std::string_view framing) {
  begin_head(response, persistence, date_line);
  small_ += framing;
  end_head(response);
}

bool Outbox::add_again(std::string_view answer, std::shared_ptr<const std::string> large,
                       std::string_view date_line) {
  if (large && !share_.grow_to(large->size())) return false;
  // The date stands behind the status line, and has one length.
  const std::size_t date = small_.size() + answer.find('\n') + 1;
  small_ += answer;
  date_line.copy(small_.data() + date, date_line.size());
  large_ = std::move(large);
  return true;
}

std::array<asio::const_buffer, 2> Outbox::buffers() const {
  if (written_ < small_.size()) {
    return {asio::buffer(small_) + written_, asio::buffer(large())};
  }
  return {asio::buffer(large()) + (written_ - small_.size()), asio::const_buffer()};
}

bool Outbox::write_some(Stream& stream) {
  error_code failure;
  const std::size_t written =
      large_ == nullptr ? stream.write_some(asio::buffer(std::as_const(small_)) + written_, failure)
                        : stream.write_some(buffers(), failure);
  consume(written);
  return empty();
}

void Outbox::consume(std::size_t count) {
  written_ += count;
  if (!empty()) return;
  written_ = 0;
  small_.clear();
  if (small_.capacity() > 2 * small_body) small_.shrink_to_fit();
  large_.reset();
  share_.release();
}

}  // namespace doctor::server
