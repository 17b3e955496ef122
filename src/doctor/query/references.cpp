#include "doctor/query/references.hpp"

#include <algorithm>
#include <set>

#include "doctor/document/names.hpp"
#include "doctor/json/value.hpp"

namespace doctor::query {
namespace {

bool is_array(std::string_view value) {
  return value.front() == '[';
}

bool has_escape(std::string_view content) {
  return content.find('\\') != std::string_view::npos;
}

// Sees each document once. Short lists, which most are, need no tree for it.
class Seen {
 public:
  bool add(document::DocumentNumber number) {
    if (!many_.empty()) return many_.insert(number).second;
    if (std::find(few_.begin(), few_.end(), number) != few_.end()) return false;
    few_.push_back(number);
    if (few_.size() == 32) many_.insert(few_.begin(), few_.end());
    return true;
  }

 private:
  std::vector<document::DocumentNumber> few_;
  std::set<document::DocumentNumber> many_;
};

}  // namespace

bool References::is_reference(std::string_view value) {
  if (value.front() == '"') return true;
  if (value.front() == '-') value.remove_prefix(1);
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The id that a reference holds; it lives as long as the run.
std::string_view References::id_text(std::string_view value) {
  if (value == "-0") return "0";
  if (value.front() != '"') return value;
  const std::string_view content = json::content(value);
  return has_escape(content) ? unescaped_.emplace_back(json::unescape(content)) : content;
}

References::Collection& References::collection(Slot slot) {
  Collection& collection = collections_[slot];
  if (!collection.known) {
    collection.number = view_.collection(plan_.collections[slot]);
    collection.known = true;
  }
  return collection;
}

std::optional<Entry> References::find(Slot slot, std::string_view value) {
  Collection& collection = this->collection(slot);
  if (!collection.number) return std::nullopt;
  if (const auto* known = collection.documents.find(value)) return *known;
  budget_.look();
  const std::string_view id = id_text(value);
  std::optional<Entry> found;
  if (document::is_document_id(id)) found = view_.find(*collection.number, id);
  return collection.documents.insert(value, found);
}

std::optional<DocumentView> References::follow(std::span<const Step> hops, std::string_view value) {
  for (;;) {
    const auto found = find(hops.front().target, value);
    hops = hops.subspan(1);
    if (!found || hops.empty()) {
      return found ? std::optional(found->document) : std::nullopt;
    }
    const auto next = found->document.find(*hops.front().field);
    if (!next || !is_reference(*next)) return std::nullopt;
    budget_.seek(1, found->document.field_count());
    if (budget_.spent()) return std::nullopt;
    value = *next;
  }
}

References::Found References::many(const Step& step, DocumentView document) {
  budget_.seek(1, document.field_count());
  if (step.listed != nullptr) {
    const auto array = document.find(*step.listed);
    if (array && is_array(*array)) return listed(step, *array);
  }
  return referring(step, document);
}

References::Found References::listed(const Step& step, std::string_view array) {
  budget_.read(array.size());
  std::vector<Entry> entries;
  Seen seen;
  for (const std::string_view value : json::Elements(array)) {
    if (budget_.spent()) break;
    if (!is_reference(value)) continue;
    const auto found = find(step.target, value);
    if (found && seen.add(found->number)) entries.push_back(*found);
  }
  return Found(std::move(entries));
}

References::Found References::referring(const Step& step, DocumentView document) {
  Links& links = links_[step.links];
  const auto number = collection(step.target).number;
  if (!number) return {};
  const std::string_view id = id_text(document.id_value());
  if (links.state != Links::State::scanned) {
    if (const auto* known = links.found.find(id)) return Found(std::span(*known));
    if (auto found = view_.referrers(*number, *step.field, id)) {
      links.state = Links::State::indexed;
      return Found(std::span(links.found.insert(id, std::move(*found))));
    }
    scan(step, links);
  }
  const auto* range = links.targets.find(id);
  if (range == nullptr) return {};
  return Found(std::span(links.entries).subspan(range->first, range->count));
}

// Goes through the whole collection once and sorts its documents by whom they refer to.
void References::scan(const Step& step, Links& links) {
  struct Link {
    std::size_t target;
    Entry from;
  };
  links.state = Links::State::scanned;
  std::vector<Link> all;
  std::vector<Links::Range> ranges;
  std::vector<document::DocumentNumber> last;  // by target, so that a document counts once
  TextMap<std::size_t> targets;
  std::vector<std::string_view> ids;
  const auto note = [&](std::string_view value, const Entry& from) {
    if (!is_reference(value)) return;
    const std::string_view id = id_text(value);
    const std::size_t* known = targets.find(id);
    const std::size_t target = known != nullptr ? *known : ids.size();
    if (known == nullptr) {
      targets.insert(id, target);
      ids.push_back(id);
      ranges.push_back({0, 0});
      last.push_back(from.number);
    } else if (last[target] == from.number) {
      return;
    }
    last[target] = from.number;
    ++ranges[target].count;
    all.push_back({target, from});
  };

  const auto walk = view_.walk(*collection(step.target).number);
  while (const auto entry = walk->next()) {
    budget_.look();
    budget_.seek(1, entry->document.field_count());
    if (budget_.spent()) return;
    const auto value = entry->document.find(*step.field);
    if (!value) continue;
    if (!is_array(*value)) {
      note(*value, *entry);
      continue;
    }
    budget_.read(value->size());
    for (const std::string_view element : json::Elements(*value)) {
      budget_.look();
      if (budget_.spent()) return;
      note(element, *entry);
    }
  }

  std::size_t first = 0;
  for (std::size_t target = 0; target < ranges.size(); ++target) {
    ranges[target].first = first;
    first += ranges[target].count;
    links.targets.insert(ids[target], ranges[target]);
  }
  links.entries.resize(all.size());
  for (const Link& link : all) links.entries[ranges[link.target].first++] = link.from;
}

}  // namespace doctor::query
