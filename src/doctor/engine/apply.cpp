#include "doctor/engine/apply.hpp"

#include <algorithm>
#include <utility>

#include "doctor/document/names.hpp"
#include "doctor/document/session.hpp"
#include "doctor/engine/plan.hpp"

namespace doctor::engine {
namespace {

using document::Change;
using document::ChangeKind;
using document::Commit;
using document::Document;
using document::Revision;

// More than one, so that a log which has become too long shrinks; few, so that no command pays for
// those before it.
constexpr std::size_t trimmed_at_a_time = 8;

// Created, then updated, then removed.
std::vector<Change> changes_of(Plan& plan) {
  std::vector<Change> changes;
  std::size_t count = 0;
  for (const Plan::Part& part : plan.parts) {
    count += part.created.size() + part.updated.size() + part.removed.size();
  }
  changes.reserve(count);
  for (const Plan::Part& part : plan.parts) {
    for (const Document* document : part.created) {
      changes.push_back({ChangeKind::created, part.collection, document->id(), {}});
    }
  }
  for (Plan::Part& part : plan.parts) {
    for (Plan::Update& update : part.updated) {
      changes.push_back(
          {ChangeKind::updated, part.collection, update.document->id(), std::move(update.fields)});
    }
  }
  for (Plan::Part& part : plan.parts) {
    for (Plan::Removal& removal : part.removed) {
      changes.push_back({ChangeKind::removed, part.collection, std::move(removal.id), {}});
    }
  }
  return changes;
}

void refuse_all(const Merge& merge, const std::string& collection, const Error& why, Plan& plan) {
  for (std::size_t i = 0; i < merge.merges.size(); ++i) {
    const bool is_refused = std::any_of(plan.refused.begin(), plan.refused.end(),
                                        [i](const Refusal& refusal) { return refusal.merge == i; });
    if (!is_refused && merge.merges[i].collection == collection) plan.refused.push_back({i, why});
  }
}

// Makes the collections that are not there yet, before anything is written to any.
Result<void> make_collections(store::WriteTransaction& transaction, const Command& command,
                              Plan& plan, const Limits& limits) {
  for (Plan::Part& part : plan.parts) {
    if (part.changes_nothing()) continue;
    const auto made = transaction.make_collection(part.collection, limits);
    if (made) {
      part.number = *made;
      continue;
    }
    const auto* merge = std::get_if<Merge>(&command.operation);
    if (merge == nullptr || !is_of_command(made.error())) return made.error();
    refuse_all(*merge, part.collection, made.error(), plan);
    part = {part.collection};
  }
  return {};
}

Result<void> write(store::WriteTransaction& transaction, Plan::Part& part, Revision revision) {
  for (Document* document : part.created) {
    document->set_revision(revision);
    if (auto done = transaction.create(part.number, document->view()); !done) return done;
  }
  for (Plan::Update& update : part.updated) {
    update.document->set_revision(revision);
    auto done = transaction.replace(part.number, update.number, update.document->view());
    if (!done) return done;
  }
  for (const Plan::Removal& removal : part.removed) {
    if (auto done = transaction.remove(part.number, removal.number); !done) return done;
  }
  return {};
}

document::SessionChange session_change(std::string id, const Document* session) {
  if (session == nullptr) return {std::move(id), nullptr};
  auto parsed = document::parse_session(session->view());
  return {std::move(id),
          parsed ? std::make_shared<const document::Session>(std::move(*parsed)) : nullptr};
}

document::CommitPtr commit_of(const Command& command, const Plan& plan, Revision revision,
                              const std::vector<Change>& changes) {
  auto commit = std::make_shared<Commit>();
  commit->revision = revision;
  commit->time = command.time;
  if (command.collection != document::sessions_collection) {
    commit->changes = changes;
    return commit;
  }
  // Of one part; `changes` has the same order.
  const Plan::Part& part = plan.parts.front();
  std::size_t i = 0;
  for (const Document* session : part.created) {
    commit->sessions.push_back(session_change(changes[i++].id, session));
  }
  for (const Plan::Update& update : part.updated) {
    commit->sessions.push_back(session_change(changes[i++].id, update.document));
  }
  for (; i < changes.size(); ++i) {
    commit->sessions.push_back(session_change(changes[i].id, nullptr));
  }
  return commit;
}

}  // namespace

Result<Outcome> apply(store::WriteTransaction& transaction, Command& command,
                      const Limits& limits) {
  auto plan = make_plan(transaction, command, limits);
  if (!plan) return plan.error();

  Outcome outcome;
  outcome.revision = transaction.revision();
  outcome.unchanged = plan->unchanged;
  outcome.was_empty = plan->was_empty;
  outcome.document_revision = plan->document_revision;
  if (auto done = make_collections(transaction, command, *plan, limits); !done) {
    return done.error();
  }
  outcome.refused = std::move(plan->refused);
  if (plan->changes_nothing()) return outcome;

  outcome.revision.value += 1;
  outcome.document_revision = outcome.revision;
  for (Plan::Part& part : plan->parts) {
    if (auto done = write(transaction, part, outcome.revision); !done) return done.error();
  }
  outcome.changes = changes_of(*plan);
  if (auto done = transaction.append(outcome.revision, command.time, outcome.changes); !done) {
    return done.error();
  }
  const Timestamp oldest{command.time.value - limits.log_retention.count()};
  if (auto done = transaction.trim_log(oldest, limits.log_size, trimmed_at_a_time); !done) {
    return done.error();
  }
  outcome.commit = commit_of(command, *plan, outcome.revision, outcome.changes);
  return outcome;
}

bool is_of_command(const Error& failure) {
  return failure.code != Errc::out_of_space && failure.code != Errc::unavailable &&
         failure.code != Errc::internal;
}

bool only_removes(const Command& command) {
  if (const auto* replacement = std::get_if<ReplaceAll>(&command.operation)) {
    return replacement->documents.empty();
  }
  return std::holds_alternative<Remove>(command.operation) ||
         std::holds_alternative<Drop>(command.operation) ||
         std::holds_alternative<ExpireSessions>(command.operation);
}

}  // namespace doctor::engine
