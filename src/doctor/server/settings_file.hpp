#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/base/result.hpp"
#include "doctor/server/limit_settings.hpp"

namespace doctor::server {

class SettingsTable;

/// A TOML file that is read setting by setting. The first mistake found is kept, with the file, its
/// line, what was found and what was expected; reading goes on harmlessly after it.
class SettingsFile {
 public:
  static Result<SettingsFile> open(const std::string& path);

  SettingsTable top();
  const std::optional<Error>& mistake() const;

 private:
  struct State;  // the TOML library is known to settings_file.cpp alone
  explicit SettingsFile(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
  friend class SettingsTable;
};

/// One table of the file. Each member function knows a setting by asking for it, and returns
/// whether it was there and right, leaving `out` alone otherwise; `finish` reports every key that
/// nobody asked for.
class SettingsTable {
 public:
  using Check = std::function<bool(std::string_view)>;

  bool text(std::string_view key, std::string& out, const Check& check = {},
            std::string_view expected = "a text in quotes");
  bool texts(std::string_view key, std::vector<std::string>& out, const Check& check,
             std::string_view expected);
  /// A table of texts by their names.
  bool texts(std::string_view key, std::map<std::string, std::string, std::less<>>& out,
             const Check& check, std::string_view expected);
  bool flag(std::string_view key, bool& out);
  /// A table or an array, as compact JSON.
  bool json(std::string_view key, std::string& out);
  template <std::unsigned_integral T>
  bool number(std::string_view key, T& out, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    if (!quantity(key, LimitSetting::Unit::count, value, least, most)) return false;
    out = static_cast<T>(value);
    return true;
  }
  bool size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
    return quantity(key, LimitSetting::Unit::bytes, out, least, most);
  }
  bool number(const LimitSetting& setting, std::uint64_t& out) {
    return quantity(setting.name, setting.unit, out, setting.least, setting.most);
  }
  /// A table within this one; an empty one if it is not there.
  SettingsTable table(std::string_view key);
  /// Each table of an array of them: those that [[key]] begins; none if it is not there.
  std::vector<SettingsTable> tables(std::string_view key);

  bool has(std::string_view key) const;
  /// Notes that the table lacks the key, at its own line.
  void require(std::string_view key);
  /// All that stands under the key, to be compared with what stood there before.
  std::string written(std::string_view key) const;
  /// Notes a mistake of the caller's own finding, at the line of the key.
  void mistake(std::string_view key, std::string_view what);
  void finish();

 private:
  friend class SettingsFile;
  SettingsTable(std::shared_ptr<SettingsFile::State> state, const void* table, std::string path)
      : state_(std::move(state)), table_(table), path_(std::move(path)) {}
  bool quantity(std::string_view key, LimitSetting::Unit unit, std::uint64_t& out,
                std::uint64_t least, std::uint64_t most);

  std::shared_ptr<SettingsFile::State> state_;
  const void* table_;  // a toml::table of state_, or null
  std::string path_;   // "limits." and the like, before a key in messages
  std::vector<std::string> known_;
};

}  // namespace doctor::server
