#include "doctor/engine/apply.hpp"

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

std::vector<Change> changes_of(const Command& command, Plan& plan) {
  std::vector<Change> changes;
  changes.reserve(plan.created.size() + plan.updated.size() + plan.removed.size());
  for (const Document* document : plan.created) {
    changes.push_back({ChangeKind::created, command.collection, document->id(), {}});
  }
  for (Plan::Update& update : plan.updated) {
    changes.push_back(
        {ChangeKind::updated, command.collection, update.document->id(), std::move(update.fields)});
  }
  for (Plan::Removal& removal : plan.removed) {
    changes.push_back({ChangeKind::removed, command.collection, std::move(removal.id), {}});
  }
  return changes;
}

Result<void> write(store::WriteTransaction& transaction, const Command& command, Plan& plan,
                   Revision revision, const Limits& limits) {
  const auto collection = transaction.make_collection(command.collection, limits);
  if (!collection) return collection.error();
  for (Document* document : plan.created) {
    document->set_revision(revision);
    if (auto done = transaction.create(*collection, document->view()); !done) return done;
  }
  for (Plan::Update& update : plan.updated) {
    update.document->set_revision(revision);
    auto done = transaction.replace(*collection, update.number, update.document->view());
    if (!done) return done;
  }
  for (const Plan::Removal& removal : plan.removed) {
    if (auto done = transaction.remove(*collection, removal.number); !done) return done;
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
  // `changes` has the same order as the plan.
  std::size_t i = 0;
  for (const Document* session : plan.created) {
    commit->sessions.push_back(session_change(changes[i++].id, session));
  }
  for (const Plan::Update& update : plan.updated) {
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
  if (plan->changes_nothing()) return outcome;

  outcome.revision.value += 1;
  outcome.document_revision = outcome.revision;
  if (auto done = write(transaction, command, *plan, outcome.revision, limits); !done) {
    return done.error();
  }
  outcome.changes = changes_of(command, *plan);
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
