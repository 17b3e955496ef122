#include "doctor/hub/test_hub.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "doctor/stomp/frame.hpp"

namespace doctor::hub::testing {
namespace {

constexpr std::size_t output_max = 1u << 16;

// As the wire has it; the real one is another room's.
Result<std::string> gunzip(std::string_view body, std::size_t size_max) {
  if (!body.starts_with("gz:")) return invalid("no gzip");
  if (body.size() - 3 > size_max) return error(Errc::too_large, "too large");
  return std::string(body.substr(3));
}

document::Change change_of(const std::string& text) {
  document::Change change{};
  change.kind = text[0] == '+'   ? document::ChangeKind::created
                : text[0] == '~' ? document::ChangeKind::updated
                                 : document::ChangeKind::removed;
  const std::size_t slash = text.find('/');
  const std::size_t blank = std::min(text.find(' '), text.size());
  change.collection = text.substr(1, slash - 1);
  change.id = text.substr(slash + 1, blank - slash - 1);
  std::istringstream fields(blank < text.size() ? text.substr(blank + 1) : "");
  for (std::string field; std::getline(fields, field, ',');) change.fields.push_back(field);
  return change;
}

}  // namespace

Client& Client::certified(std::string name) {
  certificate_ = std::move(name);
  return *this;
}

Client& Client::connect(std::string_view headers) {
  if (!is_open_) {
    id_ = world_.hub_->broker().accept("10.0.0.1", certificate_, world_.now_, world_.wall_);
    is_open_ = true;
    ends_ = writing_ = false;
  }
  return frame("CONNECT\naccept-version:1.2\n" + std::string(headers) + "\n");
}

Client& Client::subscribe(std::string_view id, std::string_view destination,
                          std::string_view headers) {
  return frame("SUBSCRIBE\nid:" + std::string(id) + "\ndestination:" + std::string(destination) +
               "\n" + std::string(headers) + "\n");
}

Client& Client::send(std::string_view destination, std::string_view body,
                     std::string_view headers) {
  return frame("SEND\ndestination:" + std::string(destination) + "\n" + std::string(headers) +
               "\n" + std::string(body));
}

Client& Client::frame(std::string_view frame) {
  const std::string bytes = std::string(frame) + '\0';
  world_.hub_->broker().receive(id_, bytes, world_.now_, world_.wall_);
  world_.pump();
  return *this;
}

Client& Client::stop_reading() {
  reads_ = false;
  return *this;
}

Client& Client::read() {
  reads_ = true;
  if (is_open_) take_output();
  world_.pump();
  return *this;
}

void Client::hang_up() {
  world_.hub_->broker().closed(id_, world_.now_);
  is_open_ = false;
  world_.pump();
}

// One socket: a write is under way while the client does not read.
void Client::take_output() {
  while (reads_ || !writing_) {
    std::string bytes;
    world_.hub_->broker().output(id_, output_max, bytes, world_.now_);
    writing_ = !bytes.empty();
    if (!writing_) break;
    understand(bytes);
  }
  if (!ends_ || writing_ || !is_open_) return;
  heard_.emplace_back("closed");
  hang_up();
}

void Client::understand(std::string_view bytes) {
  stomp::Splitter splitter{stomp::FrameLimits()};
  for (;;) {
    const auto raw = splitter.next(bytes);
    ASSERT_TRUE(raw) << raw.error().message;
    if (!*raw) return;
    const auto frame = decode(**raw, stomp::Version::v1_2);
    ASSERT_TRUE(frame) << frame.error().message;
    const auto header = [&](std::string_view name) {
      return std::string(frame->header(name).value_or("-"));
    };
    if (frame->command == stomp::Command::connected) continue;
    if (frame->command == stomp::Command::error) {
      heard_.push_back("ERROR " + header("message"));
      continue;
    }
    heard_.push_back(header("subscription") + " " + header("destination") + " [" +
                     std::string(frame->body) + "]");
    headers_.clear();
    for (const stomp::Header& one : frame->headers) {
      if (one.name == "subscription" || one.name == "destination" || one.name == "message-id" ||
          one.name == "content-length") {
        continue;
      }
      if (!headers_.empty()) headers_ += ' ';
      headers_ += std::string(one.name) + "=" + std::string(one.value);
    }
  }
}

Lines Client::hears() {
  return std::exchange(heard_, {});
}

World::World(const Limits& limits, Options options, Settings settings, bool secured)
    : hub_(std::make_unique<Hub>(limits, std::move(options), std::move(settings),
                                 surroundings(secured))) {
  hub_->set_revision(document::Revision(0));
}

Surroundings World::surroundings(bool secured) {
  Surroundings around;
  around.authority.secured = secured;
  around.authority.is_secret = [](std::string_view secret) { return secret == "the secret"; };
  around.authority.session = [this](std::string_view id) {
    const auto found = sessions_.find(std::string(id));
    return found == sessions_.end() ? nullptr : found->second;
  };
  around.failed_login = [](std::string_view, Clock::time_point) {
    return std::chrono::milliseconds(0);
  };
  around.has_unread = [](stomp::ConnectionId) { return false; };
  around.read_log = [this](document::Revision revision, std::uint64_t from,
                           std::size_t max) -> std::optional<document::CommitPart> {
    const auto found = log_.find(revision.value);
    if (found == log_.end()) return std::nullopt;
    const auto& all = found->second->changes;
    const std::size_t count = std::min(max, all.size() - from);
    document::CommitPart part;
    part.changes.assign(all.begin() + static_cast<std::ptrdiff_t>(from),
                        all.begin() + static_cast<std::ptrdiff_t>(from + count));
    part.next = from + count;
    part.last = part.next == all.size();
    return part;
  };
  around.gunzip = gunzip;
  around.log = [this](std::string_view warning) { warnings_.emplace_back(warning); };
  return around;
}

void World::session(const std::string& id, std::string_view permissions) {
  auto session = std::make_shared<document::Session>();
  session->id = id;
  session->permissions = document::Permissions::parse(permissions).value();
  sessions_[id] = session;
}

void World::edit_session(const std::string& id, std::string_view permissions) {
  session(id, permissions);
  auto commit = std::make_shared<document::Commit>();
  commit->revision = document::Revision(++revision_);
  commit->sessions.push_back({id, sessions_[id]});
  announce({commit});
}

void World::end_session(const std::string& id) {
  sessions_.erase(id);
  auto commit = std::make_shared<document::Commit>();
  commit->revision = document::Revision(++revision_);
  commit->sessions.push_back({id, nullptr});
  announce({commit});
}

document::CommitPtr World::commit_of(const std::vector<std::string>& changes) {
  auto commit = std::make_shared<document::Commit>();
  commit->revision = document::Revision(++revision_);
  for (const std::string& change : changes) commit->changes.push_back(change_of(change));
  log_[revision_] = commit;
  return commit;
}

void World::commit(const std::vector<std::string>& changes) {
  std::vector<document::CommitPtr> commits;
  for (const std::string& change : changes) commits.push_back(commit_of({change}));
  announce(commits);
}

void World::announce(const std::vector<document::CommitPtr>& commits) {
  hub_->announce(commits, now_);
  pump();
}

std::vector<Request> World::requests() {
  return std::exchange(requests_, {});
}

void World::answer(RequestNumber number, std::vector<events::RpcResponse> responses) {
  hub_->answer(number, std::move(responses), now_);
  pump();
}

void World::answer_all(const Request& request, std::string_view result) {
  answer(request.number, respond_to_all(request.calls, [&](const events::RpcRequest& call) {
           return events::RpcResponse{*call.id, std::string(result)};
         }));
}

void World::pump() {
  for (bool goes_on = true; goes_on;) {
    auto requests = hub_->take_requests(now_);
    const auto attention = hub_->broker().attention();
    goes_on = !requests.empty() || !attention.empty();
    for (Request& request : requests) requests_.push_back(std::move(request));
    for (const stomp::Attention& one : attention) {
      for (Client& client : clients_) {
        if (!client.is_open_ || client.id_ != one.connection) continue;
        client.ends_ = one.end != stomp::End::none;
        client.take_output();
      }
    }
  }
}

}  // namespace doctor::hub::testing
