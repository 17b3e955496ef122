// From selectors as they were written to the members that are written: declared in parse.hpp.

#include <algorithm>
#include <map>
#include <set>

#include "doctor/json/value.hpp"
#include "doctor/query/parse.hpp"

namespace doctor::query {
namespace {

bool same(const Path& a, const Path& b);

bool same(const Refinement& a, const Refinement& b) {
  const auto same_order = [](const Order& x, const Order& y) {
    return x.descending == y.descending && same(x.path, y.path);
  };
  return a.limit == b.limit && a.skip == b.skip &&
         std::equal(a.orders.begin(), a.orders.end(), b.orders.begin(), b.orders.end(),
                    same_order) &&
         a.where.has_value() == b.where.has_value() &&
         (!a.where || json::equal(a.where_text, b.where_text));
}

bool same_refinement(const Step& a, const Step& b) {
  if (a.refinement == nullptr || b.refinement == nullptr) return a.refinement == b.refinement;
  return same(*a.refinement, *b.refinement);
}

bool same_way(const Step& a, const Step& b) {
  return a.kind == b.kind && a.target == b.target && a.field == b.field && a.listed == b.listed;
}

bool same(const Path& a, const Path& b) {
  return a.names == b.names &&
         std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), same_way);
}

// Gathers selectors by their key, in the order in which the keys come first.
class Merge {
 public:
  explicit Merge(const Place& place) : place_(place) {}

  Result<std::vector<Chain>> all(std::vector<Chain> chains) {
    for (Chain& chain : chains) {
      if (auto added = add(std::move(chain)); !added) return added.error();
    }
    return std::move(merged_);
  }

  // Whether a star and another selector may bring the same key.
  bool may_repeat() const {
    if (stars_.empty()) return false;
    return std::any_of(by_key_.begin(), by_key_.end(), [this](const auto& entry) {
      const std::string& key = entry.first;
      const std::size_t name = key.rfind('.') + 1;  // 0 if there is no dot
      return key.find('@', name) == std::string::npos && stars_.contains(key.substr(0, name));
    });
  }

 private:
  Result<void> add(Chain chain) {
    const bool is_star = chain.end == Chain::End::star;
    if (is_star) chain.key.pop_back();
    // A field that a star before it brought already.
    if (chain.end == Chain::End::field && !chain.named &&
        stars_.contains(chain.key.substr(0, chain.key.size() - chain.field->name().size()))) {
      return {};
    }
    auto& known = is_star ? stars_ : by_key_;
    const auto [found, is_new] = known.try_emplace(chain.key, merged_.size());
    if (is_new) {
      merged_.push_back(std::move(chain));
      return {};
    }
    Chain& first = merged_[found->second];
    if (first.end != chain.end || first.field != chain.field ||
        !std::equal(first.steps.begin(), first.steps.end(), chain.steps.begin(), chain.steps.end(),
                    same_way)) {
      return twice(chain.key, "two different things are");
    }
    if (!std::equal(first.steps.begin(), first.steps.end(), chain.steps.begin(), same_refinement)) {
      return twice(chain.key, "documents with different where, orderBy, limit or skip are");
    }
    std::move(chain.inside.begin(), chain.inside.end(), std::back_inserter(first.inside));
    return {};
  }

  Error twice(std::string_view key, std::string_view what) const {
    return wrong(place_, std::string(what) + " selected under the key " + shown(key) +
                             ": give one of them a key of its own with `as`");
  }

  const Place& place_;
  std::vector<Chain> merged_;
  std::map<std::string, std::size_t> by_key_;
  std::map<std::string, std::size_t> stars_;  // by what stands before the `*`
};

// A selector that is translated from its step `from` on.
struct Rest {
  Chain* chain;
  std::size_t from;

  const Step* next() const { return ahead(0); }
  const Step* ahead(std::size_t count) const {
    return from + count < chain->steps.size() ? &chain->steps[from + count] : nullptr;
  }
  bool goes_along(const Step& hop, std::size_t count) const {
    const Step* step = ahead(count);
    return step != nullptr && same_way(*step, hop);
  }
};

std::string key_text(const Chain& chain) {
  std::string text = json::quoted(chain.key);
  if (chain.end == Chain::End::star) {
    text.pop_back();
  } else {
    text += ':';
  }
  return text;
}

class Compiler {
 public:
  Compiler(const Place& place, Builder& builder) : place_(place), builder_(builder) {}

  Result<std::vector<Member>> members(const std::vector<Rest>& rests) {
    std::vector<Member> made;
    for (std::size_t i = 0; i < rests.size();) {
      const Step* hop = rests[i].next();
      if (hop == nullptr || hop->is_many()) {
        auto member = leaf(rests[i++]);
        if (!member) return member.error();
        made.push_back(std::move(*member));
        continue;
      }
      std::vector<Rest> along;
      while (i < rests.size() && rests[i].goes_along(*hop, 0)) along.push_back(rests[i++]);
      auto edge = this->edge(std::move(along));
      if (!edge) return edge.error();
      made.push_back({{}, std::make_unique<Edge>(std::move(*edge))});
    }
    return made;
  }

 private:
  // The references that all of these begin with are one way, however long: so that evaluation is
  // as deep as the ways branch, not as they are long.
  Result<Edge> edge(std::vector<Rest> along) {
    Edge edge;
    edge.memo = builder_.next_edge();
    const Rest first = along.front();
    for (;;) {
      const Step* hop = first.ahead(edge.hops.size());
      if (hop == nullptr || hop->is_many()) break;
      const bool common = std::all_of(along.begin(), along.end(), [&](const Rest& rest) {
        return rest.goes_along(*hop, edge.hops.size());
      });
      if (!common) break;
      edge.hops.push_back(*hop);
    }
    for (Rest& rest : along) rest.from += edge.hops.size();
    auto inner = members(along);
    if (!inner) return inner.error();
    edge.members = std::move(*inner);
    return edge;
  }

  // What needs no other document than the one at hand, or many.
  Result<Member> leaf(const Rest& rest) {
    Chain& chain = *rest.chain;
    Member member{key_text(chain), {}};
    if (rest.next() != nullptr) {
      auto many = this->many(rest);
      if (!many) return many.error();
      member.what = std::move(*many);
    } else if (chain.end == Chain::End::field) {
      member.what = chain.field;
    } else if (chain.end == Chain::End::star) {
      member.what = Star{};
    } else {
      auto object = this->object(chain);
      if (!object) return object.error();
      member.what = std::move(*object);
    }
    return member;
  }

  Result<std::unique_ptr<Many>> many(Rest rest) {
    auto many = std::make_unique<Many>();
    many->step = *rest.next();
    ++rest.from;
    auto each = value(rest);
    if (!each) return each.error();
    many->each = std::move(*each);
    return many;
  }

  Result<Value> value(Rest rest) {
    Value value;
    for (; rest.next() != nullptr && !rest.next()->is_many(); ++rest.from) {
      value.hops.push_back(*rest.next());
    }
    value.memo = value.hops.empty() ? 0 : builder_.next_edge();
    if (rest.next() != nullptr) {
      auto inner = many(rest);
      if (!inner) return inner.error();
      value.what = std::move(*inner);
    } else if (rest.chain->end == Chain::End::field) {
      value.what = rest.chain->field;
    } else {
      auto inner = object(*rest.chain);
      if (!inner) return inner.error();
      value.what = std::move(*inner);
    }
    return value;
  }

  Result<std::unique_ptr<Object>> object(Chain& chain) {
    auto object = make_object(std::move(chain.inside), place_, builder_);
    if (!object) return object.error();
    return std::make_unique<Object>(std::move(*object));
  }

  const Place& place_;
  Builder& builder_;
};

}  // namespace

Result<Object> make_object(std::vector<Chain> chains, const Place& place, Builder& builder) {
  Merge merge(place);
  auto merged = merge.all(std::move(chains));
  if (!merged) return merged.error();
  Object object;
  object.may_repeat = merge.may_repeat();
  object.whole = merged->size() == 1 && merged->front().end == Chain::End::star &&
                 merged->front().steps.empty();
  std::vector<Rest> rests;
  rests.reserve(merged->size());
  for (Chain& chain : *merged) rests.push_back({&chain, 0});
  auto members = Compiler(place, builder).members(rests);
  if (!members) return members.error();
  object.members = std::move(*members);
  return object;
}

}  // namespace doctor::query
