#include "doctor/stomp/publication.hpp"

#include <algorithm>

#include "doctor/stomp/writer.hpp"

namespace doctor::stomp {
namespace {

constexpr std::array<std::string_view, 7> own_headers{
    "destination", "receipt", "transaction", "content-length", "subscription", "message-id", "ack"};

}  // namespace

const std::string* Message::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

std::size_t Message::memory() const {
  std::size_t size = sizeof(Message) + destination.size() + body.size();
  for (const auto& [name, value] : headers) {
    size += sizeof(Headers::value_type) + name.size() + value.size();
  }
  return size;
}

Message message_of(const Frame& send) {
  Message message;
  message.destination = send.header("destination").value_or("");
  message.body = send.body;
  for (const Header& header : send.headers) {
    const bool is_own =
        std::find(own_headers.begin(), own_headers.end(), header.name) != own_headers.end();
    if (is_own || message.header(header.name) != nullptr) continue;
    message.headers.emplace_back(header.name, header.value);
  }
  return message;
}

Publication::Publication(Message message, Reach reach, std::optional<Subject> subject,
                         bool is_answer)
    : message_(std::move(message)),
      reach_(reach),
      subject_(std::move(subject)),
      is_answer_(is_answer),
      memory_(message_.memory()) {}

bool Publication::may_be_heard_by(const document::Principal& principal) const {
  switch (reach_) {
    case Reach::subscribers:
      return true;
    case Reach::connectors:
      return principal.kind != document::Principal::Kind::session;
    case Reach::all_readers:
      return principal.permissions().reads_everything();
    case Reach::subject_readers:
      return subject_ && principal.permissions().may_read(subject_->collection, subject_->id);
  }
  return false;
}

const std::string& Publication::head(Version version) const {
  std::string& head = heads_[static_cast<std::size_t>(version)];
  if (!head.empty()) return head;
  write_header({"destination", message_.destination}, version, head);
  for (const auto& [name, value] : message_.headers) write_header({name, value}, version, head);
  write_header({"content-length", std::to_string(message_.body.size())}, version, head);
  head += '\n';
  return head;
}

}  // namespace doctor::stomp
