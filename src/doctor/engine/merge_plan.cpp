// The plan of a Merge: declared in plan.hpp.

#include <unordered_map>
#include <utility>

#include "doctor/engine/plan.hpp"
#include "doctor/json/value.hpp"

namespace doctor::engine {
namespace {

using document::Document;

/// What the merges before the next one have left of a document.
struct Working {
  std::optional<document::Entry> stored;
  std::unique_ptr<Document> document;  // null: as it is stored, or not there
  std::vector<std::string> fields;     // that the merges changed
  std::size_t merges = 0;              // that changed it

  bool exists() const { return document != nullptr || stored.has_value(); }
  document::DocumentView now() const { return document ? document->view() : stored->document; }
};

class MergePlanner {
 public:
  MergePlanner(const document::View& view, const Limits& limits) : view_(view), limits_(limits) {}

  Plan operator()(const Merge& merge) {
    for (std::size_t i = 0; i < merge.merges.size(); ++i) {
      if (auto done = apply(merge.merges[i]); !done) plan_.refused.push_back({i, done.error()});
    }
    for (Key& key : order_) settle(key);
    return std::move(plan_);
  }

 private:
  struct Collection {
    std::size_t part;  // of the plan
    std::optional<document::CollectionNumber> number;
    std::unordered_map<std::string, Working> documents;
  };
  struct Key {
    Collection* collection;
    Working* working;
  };

  Collection& collection(const std::string& name) {
    const auto [found, is_new] = collections_.try_emplace(name);
    if (is_new) {
      found->second.part = plan_.parts.size();
      found->second.number = view_.collection(name);
      plan_.parts.push_back({name});
    }
    return found->second;
  }

  Working& working(Collection& collection, const std::string& id) {
    const auto [found, is_new] = collection.documents.try_emplace(id);
    if (is_new) {
      if (collection.number) found->second.stored = view_.find(*collection.number, id);
      order_.push_back({&collection, &found->second});
    }
    return found->second;
  }

  Result<void> apply(const Merge::One& one) {
    Collection& in = collection(one.collection);
    Working& document = working(in, one.id);
    if (!document.exists() && !one.create) {
      return error(Errc::not_found,
                   "there is no document " + json::quoted(one.id) + " in " + one.collection);
    }
    constexpr auto rule = document::IdRule::document;
    std::optional<Document> fresh;
    if (!document.exists()) {
      auto made = document::parse_document("{}", {rule, one.id}, limits_);
      if (!made) return made.error();
      fresh = std::move(*made);
    }
    auto patched = one.patch.apply(fresh ? fresh->view() : document.now(), rule, limits_);
    if (!patched) return patched.error();
    if (!fresh && patched->changed.empty()) return {};
    document.document = std::make_unique<Document>(std::move(patched->document));
    document.fields = std::move(patched->changed);
    ++document.merges;
    return {};
  }

  void settle(Key& key) {
    Working& working = *key.working;
    if (!working.exists()) return;
    Plan::Part& part = plan_.parts[key.collection->part];
    if (!working.stored) {
      part.created.push_back(working.document.get());
    } else {
      // Several merges may undo each other.
      if (working.merges > 1) {
        working.fields = document::changed_fields(working.stored->document, working.now());
      }
      if (working.fields.empty()) {
        ++plan_.unchanged;
        return;
      }
      part.updated.push_back({working.stored->number, working.document.get(),
                              std::move(working.fields), part.updated.size()});
    }
    plan_.patched.push_back(std::move(working.document));
  }

  const document::View& view_;
  const Limits& limits_;
  Plan plan_;
  std::unordered_map<std::string, Collection> collections_;
  std::vector<Key> order_;  // of the documents, as they were first named
};

}  // namespace

Plan plan_merges(const document::View& view, const Merge& merge, const Limits& limits) {
  return MergePlanner(view, limits)(merge);
}

}  // namespace doctor::engine
