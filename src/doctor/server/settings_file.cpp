#include "doctor/server/settings_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <toml++/toml.h>

#include "doctor/json/scanner.hpp"

namespace doctor::server {

struct SettingsFile::State {
  std::string path;
  toml::table root;
  std::optional<Error> mistake;

  void note(const toml::node& node, const std::string& what) {
    if (mistake) return;
    mistake = invalid(path + ":" + std::to_string(node.source().begin.line) + ": " + what);
  }
};

namespace {

std::string shown(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  return text.str();
}

const toml::node* find(const void* table, std::string_view key) {
  return table == nullptr ? nullptr : static_cast<const toml::table*>(table)->get(key);
}

std::string range(std::uint64_t least, std::uint64_t most) {
  return "from " + std::to_string(least) + " to " + std::to_string(most);
}

std::string expected_of(LimitSetting::Unit unit, std::uint64_t least, std::uint64_t most) {
  switch (unit) {
    case LimitSetting::Unit::bytes:
      return "bytes " + range(least, most) + ", as a number or like \"64 MiB\"";
    case LimitSetting::Unit::duration:
      return "milliseconds " + range(least, most) + ", as a number or like \"10 s\"";
    case LimitSetting::Unit::count:
      break;
  }
  return "a whole number " + range(least, most);
}

std::optional<std::uint64_t> read_quantity(const toml::node& node, LimitSetting::Unit unit) {
  if (const auto* integer = node.as_integer()) {
    if (integer->get() < 0) return std::nullopt;
    return static_cast<std::uint64_t>(integer->get());
  }
  const auto* text = node.as_string();
  if (text == nullptr || unit == LimitSetting::Unit::count) return std::nullopt;
  return unit == LimitSetting::Unit::bytes ? parse_size(text->get()) : parse_duration(text->get());
}

}  // namespace

Result<SettingsFile> SettingsFile::open(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid(path + ": the configuration file cannot be read");
  const std::string content((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  auto state = std::make_shared<State>();
  state->path = path;
  try {
    state->root = toml::parse(content, path);
  } catch (const toml::parse_error& mistake) {
    return invalid(path + ":" + std::to_string(mistake.source().begin.line) +
                   ": not TOML: " + std::string(mistake.description()));
  }
  return SettingsFile(std::move(state));
}

SettingsTable SettingsFile::top() {
  return {state_, &state_->root, ""};
}

const std::optional<Error>& SettingsFile::mistake() const {
  return state_->mistake;
}

bool SettingsTable::text(std::string_view key, std::string& out, const Check& check,
                         std::string_view expected) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  const auto* text = node->as_string();
  if (text == nullptr || (check && !check(text->get()))) {
    // The value of a secret is not shown, even a wrong one.
    const std::string found = key == "secret" ? "" : "found " + shown(*node) + ", ";
    state_->note(*node,
                 path_ + std::string(key) + ": " + found + "expected " + std::string(expected));
    return false;
  }
  out = text->get();
  return true;
}

bool SettingsTable::texts(std::string_view key, std::vector<std::string>& out, const Check& check,
                          std::string_view expected) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  const auto* array = node->as_array();
  if (array == nullptr) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) +
                            ", expected a list of texts in brackets, each " +
                            std::string(expected));
    return false;
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr || !check(text->get())) {
      state_->note(element, path_ + std::string(key) + ": found " + shown(element) + ", expected " +
                                std::string(expected));
      return false;
    }
    texts.push_back(text->get());
  }
  out = std::move(texts);
  return true;
}

bool SettingsTable::texts(std::string_view key,
                          std::map<std::string, std::string, std::less<>>& out, const Check& check,
                          std::string_view expected) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  const auto* table = node->as_table();
  if (table == nullptr) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) +
                            ", expected names and texts in braces: { name = \"text\" }");
    return false;
  }
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& [name, element] : *table) {
    const auto* text = element.as_string();
    if (text == nullptr || !check(text->get())) {
      state_->note(element, path_ + std::string(key) + "." + std::string(name.str()) + ": found " +
                                shown(element) + ", expected " + std::string(expected));
      return false;
    }
    texts.emplace(name.str(), text->get());
  }
  out = std::move(texts);
  return true;
}

bool SettingsTable::flag(std::string_view key, bool& out) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  const auto* boolean = node->as_boolean();
  if (boolean == nullptr) {
    state_->note(*node,
                 path_ + std::string(key) + ": found " + shown(*node) + ", expected true or false");
    return false;
  }
  out = boolean->get();
  return true;
}

bool SettingsTable::json(std::string_view key, std::string& out) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  std::ostringstream text;
  if (const auto* table = node->as_table()) text << toml::json_formatter(*table);
  if (const auto* array = node->as_array()) text << toml::json_formatter(*array);
  const auto compact = json::compact(text.view(), json::Scanner::deepest);
  if (!compact) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) +
                            ", expected a table in braces or a list in brackets");
    return false;
  }
  out = *compact;
  return true;
}

bool SettingsTable::quantity(std::string_view key, LimitSetting::Unit unit, std::uint64_t& out,
                             std::uint64_t least, std::uint64_t most) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  if (node == nullptr) return false;
  const auto value = read_quantity(*node, unit);
  if (!value || *value < least || *value > most) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) + ", expected " +
                            expected_of(unit, least, most));
    return false;
  }
  out = *value;
  return true;
}

SettingsTable SettingsTable::table(std::string_view key) {
  known_.emplace_back(key);
  const toml::node* node = find(table_, key);
  const toml::table* table = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && table == nullptr) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) +
                            ", expected a table: [" + std::string(key) + "]");
  }
  return {state_, table, path_ + std::string(key) + "."};
}

std::vector<SettingsTable> SettingsTable::tables(std::string_view key) {
  known_.emplace_back(key);
  std::vector<SettingsTable> tables;
  const toml::node* node = find(table_, key);
  if (node == nullptr) return tables;
  const auto* array = node->as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous(toml::node_type::table))) {
    state_->note(*node, path_ + std::string(key) + ": found " + shown(*node) +
                            ", expected tables: [[" + path_ + std::string(key) + "]]");
    return tables;
  }
  for (const toml::node& element : *array) {
    tables.push_back({state_, element.as_table(), path_ + std::string(key) + "."});
  }
  return tables;
}

bool SettingsTable::has(std::string_view key) const {
  return find(table_, key) != nullptr;
}

void SettingsTable::require(std::string_view key) {
  if (table_ == nullptr || has(key)) return;
  state_->note(*static_cast<const toml::table*>(table_),
               path_ + std::string(key) + " is missing here");
}

std::string SettingsTable::written(std::string_view key) const {
  const toml::node* node = find(table_, key);
  return node == nullptr ? "" : shown(*node);
}

void SettingsTable::mistake(std::string_view key, std::string_view what) {
  const toml::node* node = find(table_, key);
  if (node != nullptr) state_->note(*node, path_ + std::string(key) + ' ' + std::string(what));
}

void SettingsTable::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *static_cast<const toml::table*>(table_)) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    std::string expected;
    for (const std::string& name : known_) expected += (expected.empty() ? "" : ", ") + name;
    if (state_->mistake) return;
    state_->mistake =
        invalid(state_->path + ":" + std::to_string(key.source().begin.line) + ": " + path_ +
                std::string(key.str()) + ": no such setting; expected one of " + expected);
  }
}

}  // namespace doctor::server
