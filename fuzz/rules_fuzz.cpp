// Lines: a rule (`events`, `id`, `take`, `items` and `item` with their text, `only`, `without` and
// `rename` with names), then events (`|a|b|c JSON`) and answers (`= JSON`). Whatever they are, each
// rule that is for an event makes one merge of it or says why not, and a merge is a patch of a
// document that can have the id.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/document/names.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/rules/rule_set.hpp"
#include "require.hpp"

namespace {

using namespace doctor;
using namespace doctor::rules;

std::string_view cut(std::string_view& text, char at) {
  const std::string_view first = text.substr(0, text.find(at));
  text.remove_prefix(std::min(first.size() + 1, text.size()));
  return first;
}

class Reading {
 public:
  void line(std::string_view text) {
    std::string_view rest = text;
    const std::string_view word = cut(rest, ' ');
    if (word == "only") {
      fields_.only.emplace(rest);
    } else if (word == "without") {
      fields_.leave_out.emplace(rest);
    } else if (word == "rename") {
      const std::string_view name = cut(rest, ' ');
      fields_.rename.emplace(name, rest);
    } else if (word == "=") {
      answer(rest);
    } else if (word.find('|') != std::string_view::npos) {
      event(word, rest);
    } else {
      texts_[std::string(word)] = rest;
    }
  }

 private:
  std::optional<Rule> rule() {
    const auto events = events::SubscriptionId::parse(texts_["events"]);
    const auto id = IdSource::parse(texts_["id"]);
    const auto take = Path::parse_below("params", texts_["take"]);
    if (!events || !id || !take) return std::nullopt;
    Rule made{.events = *events, .collection = "c", .id = *id, .take = *take, .fields = fields_};
    const auto items = Path::parse_below("result", texts_["items"]);
    const auto item = IdSource::parse_of_item(texts_["item"]);
    if (items && item) made.refresh = {"m", "", *items, *item};
    return made;
  }

  void event(std::string_view method, std::string_view json) {
    const auto params = json::compact(json, 64);
    const auto made = rule();
    if (!params || !made) return;
    const RuleSet rules({*made}, limits_);
    Merges merges;
    rules.apply({"host", method, *params}, merges);
    rules.apply({"", method, ""}, merges);
    const std::size_t count = merges.merges.size() + merges.unfit.size();
    const bool first = rules.is_for({"host", method, *params});
    require(count == static_cast<std::size_t>(first) +
                         static_cast<std::size_t>(rules.is_for({"", method, ""})));
    check(merges);
  }

  void answer(std::string_view json) {
    const auto result = json::compact(json, 64);
    const auto made = rule();
    if (!result || !made) return;
    const RuleSet rules({*made}, limits_);
    Merges merges;
    for (const auto& call : rules.refresh_calls("host")) {
      rules.apply_answer(call, "host", *result, merges);
    }
    require(made->refresh.has_value() || (merges.merges.empty() && merges.unfit.empty()));
    check(merges);
  }

  void check(const Merges& merges) {
    for (const Merge& merge : merges.merges) {
      require(document::is_document_id(merge.id));
      const auto before = document::parse_document("{}", {.path_id = merge.id}, limits_);
      require(before.has_value());
      const auto after = merge.patch.apply(before->view(), document::IdRule::document, limits_);
      require(!after || after->document.id() == merge.id);
    }
    for (const Unfit& unfit : merges.unfit) require(!unfit.detail.empty());
  }

  Limits limits_;
  std::map<std::string, std::string> texts_;
  Fields fields_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reading reading;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) reading.line(cut(rest, '\n'));
  return 0;
}
