#include "doctor/engine/plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "doctor/document/names.hpp"
#include "doctor/engine/session_rules.hpp"
#include "doctor/json/value.hpp"

namespace doctor::engine {
namespace {

using document::CollectionNumber;
using document::Document;
using document::DocumentNumber;
using document::DocumentView;
using document::Entry;
using document::View;

class Planner {
 public:
  Planner(const View& view, const Command& command, const Limits& limits)
      : view_(view),
        command_(command),
        limits_(limits),
        collection_(view.collection(command.collection)) {
    plan_.parts.push_back({command.collection});
  }

  Result<Plan> operator()(Upsert& upsert);
  Result<Plan> operator()(ReplaceAll& replacement);
  Result<Plan> operator()(Put& put);
  Result<Plan> operator()(const Patch& patch);
  Result<Plan> operator()(const Merge& merge) { return plan_merges(view_, merge, limits_); }
  Result<Plan> operator()(const Remove& removal);
  Result<Plan> operator()(const Drop&);
  Result<Plan> operator()(const ExpireSessions& expiry);

 private:
  bool of_sessions() const { return command_.collection == document::sessions_collection; }
  std::optional<Entry> find(std::string_view id) const {
    return collection_ ? view_.find(*collection_, id) : std::nullopt;
  }
  std::uint64_t count() const { return collection_ ? view_.info(*collection_).count : 0; }
  Result<void> check(DocumentView document) const;
  Result<void> check(const std::vector<Document>& documents) const;
  void compare(const Entry& stored, Document& document, std::size_t place);
  Plan::Part& part() { return plan_.parts.front(); }
  void remove(const Entry& stored) {
    part().removed.push_back({stored.number, stored.document.id()});
  }
  Error no_such(std::string_view id) const;

  const View& view_;
  const Command& command_;
  const Limits& limits_;
  std::optional<CollectionNumber> collection_;
  Plan plan_;
};

/// Finds the documents of a bulk body. A body often comes in creation order: then the next one is
/// the next of a walk, which is several times cheaper than to look it up.
class Finder {
 public:
  Finder(const View& view, CollectionNumber collection) : view_(view), collection_(collection) {}

  std::optional<Entry> find(DocumentView document) {
    if (walk_ != nullptr) {
      if (next_ && next_->document.id_value() == document.id_value()) {
        const Entry found = *next_;
        next_ = walk_->next();
        return found;
      }
      walk_ = nullptr;
    }
    const auto found = view_.find(collection_, document.id());
    if (!found) return found;
    if (found->number.value == last_.value + 1) {
      walk_ = view_.walk(collection_, DocumentNumber{found->number.value + 1});
      next_ = walk_->next();
    }
    last_ = found->number;
    return found;
  }

 private:
  const View& view_;
  CollectionNumber collection_;
  DocumentNumber last_{0};
  std::unique_ptr<document::Walk> walk_;  // set while body and collection go in step
  std::optional<Entry> next_;
};

Result<void> judge(const Precondition& precondition, const std::optional<Entry>& stored) {
  const auto fail = [](std::string detail) {
    return error(Errc::precondition_failed, std::move(detail));
  };
  if (precondition.must_be_new && stored) {
    return fail("the document exists, and If-None-Match: * asks that it does not");
  }
  if (!precondition.match) return {};
  if (!stored) return fail("the document does not exist, and If-Match asks that it does");
  const auto& revisions = *precondition.match;
  const document::Revision revision = stored->document.revision();
  if (!revisions.empty() &&
      std::find(revisions.begin(), revisions.end(), revision) == revisions.end()) {
    return fail("the document was changed at revision " + std::to_string(revision.value) +
                ", which is not what If-Match asks for");
  }
  return {};
}

Result<void> Planner::check(DocumentView document) const {
  return of_sessions() ? check_session(document, command_.time) : Result<void>();
}

Result<void> Planner::check(const std::vector<Document>& documents) const {
  if (!of_sessions()) return {};
  for (const Document& document : documents) {
    if (auto sound = check(document.view()); !sound) return sound;
  }
  return {};
}

void Planner::compare(const Entry& stored, Document& document, std::size_t place) {
  if (stored.document.text() != document.view().text()) {
    auto fields = document::changed_fields(stored.document, document.view());
    if (!fields.empty()) {
      part().updated.push_back({stored.number, &document, std::move(fields), place});
      return;
    }
  }
  ++plan_.unchanged;
  plan_.document_revision = stored.document.revision();
}

Error Planner::no_such(std::string_view id) const {
  if (of_sessions()) return error(Errc::not_found, "there is no such session");
  return error(Errc::not_found,
               "there is no document " + json::quoted(id) + " in " + command_.collection);
}

Result<Plan> Planner::operator()(Upsert& upsert) {
  if (auto sound = check(upsert.documents); !sound) return sound.error();
  if (count() == 0) {
    for (Document& document : upsert.documents) part().created.push_back(&document);
    return std::move(plan_);
  }
  Finder finder(view_, *collection_);
  for (std::size_t i = 0; i < upsert.documents.size(); ++i) {
    Document& document = upsert.documents[i];
    if (const auto stored = finder.find(document.view())) {
      compare(*stored, document, i);
    } else {
      part().created.push_back(&document);
    }
  }
  return std::move(plan_);
}

// All of the collection is walked, because what is not in the body goes. As long as the body comes
// in creation order, each document meets its like. After the first that does not, the rest of the
// body is known by its ids; nothing is looked up in the store.
Result<Plan> Planner::operator()(ReplaceAll& replacement) {
  std::vector<Document>& documents = replacement.documents;
  if (auto sound = check(documents); !sound) return sound.error();
  plan_.was_empty = count() == 0;
  std::vector<bool> met(documents.size());
  std::unordered_map<std::string_view, std::size_t> places;
  bool in_step = true;
  std::size_t expected = 0;
  const auto meet = [&](const Entry& stored, std::size_t place) {
    compare(stored, documents[place], place);
    met[place] = true;
    expected = place + 1;
  };
  const auto walk = plan_.was_empty ? nullptr : view_.walk(*collection_);
  while (walk != nullptr) {
    const auto stored = walk->next();
    if (!stored) break;
    if (expected < documents.size() &&
        documents[expected].view().id_value() == stored->document.id_value()) {
      meet(*stored, expected);
      continue;
    }
    if (in_step) {
      for (std::size_t i = expected; i < documents.size(); ++i) {
        places.emplace(documents[i].view().id_value(), i);
      }
      in_step = false;
    }
    const auto place = places.find(stored->document.id_value());
    if (place == places.end()) {
      remove(*stored);
    } else {
      meet(*stored, place->second);
    }
  }
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (!met[i]) part().created.push_back(&documents[i]);
  }
  if (!in_step) {
    std::sort(part().updated.begin(), part().updated.end(),
              [](const Plan::Update& a, const Plan::Update& b) { return a.place < b.place; });
  }
  return std::move(plan_);
}

Result<Plan> Planner::operator()(Put& put) {
  const auto stored = find(put.document.id());
  if (auto holds = judge(put.precondition, stored); !holds) return holds.error();
  if (auto sound = check(put.document.view()); !sound) return sound.error();
  if (stored) {
    compare(*stored, put.document, 0);
  } else {
    part().created.push_back(&put.document);
  }
  return std::move(plan_);
}

Result<Plan> Planner::operator()(const Patch& patch) {
  const auto stored = find(patch.id);
  if (auto holds = judge(patch.precondition, stored); !holds) return holds.error();
  if (!stored || (of_sessions() && has_expired(stored->document, command_.time))) {
    return no_such(patch.id);
  }
  const auto rule = of_sessions() ? document::IdRule::session : document::IdRule::document;
  auto patched = patch.patch.apply(stored->document, rule, limits_);
  if (!patched) return patched.error();
  if (auto sound = check(patched->document.view()); !sound) return sound.error();
  if (patched->changed.empty()) {
    plan_.unchanged = 1;
    plan_.document_revision = stored->document.revision();
    return std::move(plan_);
  }
  const auto& document =
      plan_.patched.emplace_back(std::make_unique<Document>(std::move(patched->document)));
  part().updated.push_back({stored->number, document.get(), std::move(patched->changed), 0});
  return std::move(plan_);
}

Result<Plan> Planner::operator()(const Remove& removal) {
  const auto stored = find(removal.id);
  if (auto holds = judge(removal.precondition, stored); !holds) return holds.error();
  if (!stored || (of_sessions() && has_expired(stored->document, command_.time))) {
    return no_such(removal.id);
  }
  remove(*stored);
  return std::move(plan_);
}

Result<Plan> Planner::operator()(const Drop&) {
  if (count() == 0) return std::move(plan_);
  const auto walk = view_.walk(*collection_);
  while (const auto stored = walk->next()) remove(*stored);
  return std::move(plan_);
}

Result<Plan> Planner::operator()(const ExpireSessions& expiry) {
  for (const std::string& id : expiry.ids) {
    const auto stored = find(id);
    if (stored && has_expired(stored->document, command_.time)) remove(*stored);
  }
  std::sort(part().removed.begin(), part().removed.end(),
            [](const Plan::Removal& a, const Plan::Removal& b) { return a.number < b.number; });
  return std::move(plan_);
}

}  // namespace

Result<Plan> make_plan(const View& view, Command& command, const Limits& limits) {
  return std::visit(Planner(view, command, limits), command.operation);
}

}  // namespace doctor::engine
