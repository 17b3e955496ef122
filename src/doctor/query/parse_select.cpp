// Selectors of every form: declared in parse.hpp.

#include <array>

#include "doctor/document/names.hpp"
#include "doctor/json/value.hpp"
#include "doctor/query/parse.hpp"

namespace doctor::query {
namespace {

constexpr std::array<std::string_view, 2> field_keys = {"field", "as"};
constexpr std::array<std::string_view, 4> ref_keys = {"ref", "collection", "select", "as"};
constexpr std::array<std::string_view, 8> many_keys = {"many_ref", "field", "select", "where",
                                                       "orderBy",  "limit", "skip",   "as"};

// A selector that is written as an object.
class LongForm {
 public:
  LongForm(std::string_view value, const Place& place, Slot home, std::uint32_t depth,
           Builder& builder)
      : value_(value), place_(place), home_(home), depth_(depth), builder_(builder) {}

  Result<Chain> parse() {
    auto chain = parse_form();
    const auto as = members_.find("as");
    if (!chain || as == members_.end()) return chain;
    const Place place(place_, "as");
    auto name = parse_name(as->second, place);
    if (!name) return name.error();
    if (chain->end == Chain::End::star) {
      return wrong(place, "what `.*` brings keeps its names: `as` cannot be one for all of it");
    }
    chain->key = std::move(*name);
    chain->named = true;
    return chain;
  }

 private:
  Result<Chain> parse_form() {
    bool is_many = false;
    bool is_ref = false;
    bool is_field = false;
    for (const json::Member& member : json::Members(value_)) {
      const std::string name = json::unescape(member.name);
      is_many |= name == "many_ref";
      is_ref |= name == "ref";
      is_field |= name == "field";
    }
    if (is_many) return many();
    if (is_ref) return ref();
    if (is_field) return field();
    return wrong(place_, "an object that selects has a `field`, a `ref` or a `many_ref`");
  }

  Result<void> read(std::span<const std::string_view> keys) {
    auto members = parse_members(value_, place_, keys);
    if (!members) return members.error();
    members_ = std::move(*members);
    return {};
  }

  Result<std::string> name(std::string_view key) {
    const auto found = members_.find(key);
    if (found == members_.end()) return std::string();
    return parse_name(found->second, Place(place_, key));
  }

  Result<Slot> collection(std::string_view name, std::string_view key) {
    if (document::is_collection_name(name)) return builder_.slot(name);
    const std::string advice = key == "ref" ? ": name it as `collection`" : "";
    return wrong(Place(place_, key), shown(name) + " cannot be the name of a collection" + advice);
  }

  Result<Chain> field() {
    if (auto good = read(field_keys); !good) return good.error();
    auto field = name("field");
    if (!field) return field.error();
    Chain chain;
    chain.field = builder_.name(*field);
    chain.key = std::move(*field);
    return chain;
  }

  Result<Chain> ref() {
    if (auto good = read(ref_keys); !good) return good.error();
    const auto field = name("ref");
    if (!field) return field.error();
    const auto target = name("collection");
    if (!target) return target.error();
    const auto slot =
        target->empty() ? collection(*field, "ref") : collection(*target, "collection");
    if (!slot) return slot.error();
    return behind(builder_.one(builder_.name(*field), *slot), one_text(*field, *target));
  }

  Result<Chain> many() {
    if (auto good = read(many_keys); !good) return good.error();
    if (auto good = builder_.check_depth(place_, ++depth_); !good) return good.error();
    const auto target = name("many_ref");
    if (!target) return target.error();
    const auto field = name("field");
    if (!field) return field.error();
    const auto slot = collection(*target, "many_ref");
    if (!slot) return slot.error();
    Step step = builder_.many(home_, *slot, field->empty() ? nullptr : builder_.name(*field));
    auto refinement = parse_refinement(members_, place_, *slot, depth_, builder_);
    if (!refinement) return refinement.error();
    if (refinement->where || !refinement->orders.empty() || refinement->limit || refinement->skip) {
      step.refinement = builder_.keep(std::move(*refinement));
    }
    return behind(step, many_text(*target, *field));
  }

  // What stands behind the reference: a `select` that is an array, or none, is the form with
  // brackets, another that with a dot.
  Result<Chain> behind(const Step& step, std::string text) {
    Chain chain;
    chain.end = Chain::End::object;
    const auto select = members_.find("select");
    if (select == members_.end()) {
      chain.inside.push_back(star_chain());
    } else {
      const bool brackets = json::kind(select->second) == json::Kind::array;
      const std::uint32_t depth = brackets ? depth_ + 1 : depth_;
      if (auto good = builder_.check_depth(place_, depth); !good) return good.error();
      const Place place(place_, "select");
      auto parsed = parse_select(select->second, place, step.target, depth, builder_, chain.inside);
      if (!parsed) return parsed.error();
      if (!brackets) {
        chain = std::move(Chain(std::move(chain)).inside.front());
        if (chain.end == Chain::End::star && (step.is_many() || chain.passes_many())) {
          return wrong(place,
                       "`*` cannot follow a `many_ref` with only dots between: write [\"*\"]");
        }
        text += '.' + chain.key;
      }
    }
    chain.key = std::move(text);
    chain.steps.insert(chain.steps.begin(), step);
    return chain;
  }

  std::string_view value_;
  const Place& place_;
  Slot home_;
  std::uint32_t depth_;
  Builder& builder_;
  MemberMap members_;
};

}  // namespace

Result<void> parse_select(std::string_view value, const Place& place, Slot home,
                          std::uint32_t depth, Builder& builder, std::vector<Chain>& chains) {
  switch (json::kind(value)) {
    case json::Kind::array: {
      std::size_t index = 0;
      for (const std::string_view element : json::Elements(value)) {
        const Place inner(place, index++);
        auto parsed = parse_select(element, inner, home, depth, builder, chains);
        if (!parsed) return parsed.error();
      }
      return {};
    }
    case json::Kind::string: {
      const std::string text = json::unescape(json::content(value));
      auto chain = SelectorReader(text, builder, place).selector(home, depth);
      if (!chain) return chain.error();
      chains.push_back(std::move(*chain));
      return {};
    }
    case json::Kind::object: {
      auto chain = LongForm(value, place, home, depth, builder).parse();
      if (!chain) return chain.error();
      chains.push_back(std::move(*chain));
      return {};
    }
    default:
      return wrong(place, "a selector is a string, an object or an array of such, not " +
                              std::string(kind_name(value)));
  }
}

}  // namespace doctor::query
