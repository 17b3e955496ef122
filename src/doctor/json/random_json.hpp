#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "doctor/json/value.hpp"

namespace doctor::json {

/// For tests: numbers that look random, the same for the same seed (splitmix64).
class Dice {
 public:
  using result_type = std::uint64_t;
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
  }

 private:
  std::uint64_t state_;
};

/// For tests: random compact values, and other spellings of the same values.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string value(int depth) {
    switch (below(depth > 0 ? 9 : 6)) {
      case 0:
        return "null";
      case 1:
        return below(2) == 0 ? "true" : "false";
      case 2:
      case 3:
        return number();
      case 4:
      case 5:
        return json::quoted(text());
      case 6:
        return array(depth - 1);
      default:
        return object(depth - 1);
    }
  }

  std::string array(int depth) {
    std::string out = "[";
    for (std::size_t n = below(5); n > 0; --n) out += value(depth) + (n > 1 ? "," : "");
    return out + "]";
  }

  std::string object(int depth) {
    std::string out = "{";
    const std::size_t count = below(6);
    for (std::size_t i = 0; i < count; ++i) {
      out += (i > 0 ? "," : "") + json::quoted(text() + std::to_string(i)) + ":" + value(depth);
    }
    return out + "}";
  }

  /// The same value with other order of keys and other spelling of numbers and strings.
  std::string respelt(std::string_view value) {
    switch (kind(value)) {
      case Kind::number:
        return respelt_number(value);
      case Kind::string:
        return respelt_string(unescape(content(value)));
      case Kind::array: {
        std::string out = "[";
        for (const std::string_view element : Elements(value)) {
          out += (out.size() > 1 ? "," : "") + respelt(element);
        }
        return out + "]";
      }
      case Kind::object: {
        std::vector<std::string> members;
        for (const Member& member : Members(value)) {
          members.push_back(respelt_string(unescape(member.name)) + ":" + respelt(member.value));
        }
        if (below(2) == 0) std::shuffle(members.begin(), members.end(), random_);
        std::string out = "{";
        for (const std::string& member : members) out += (out.size() > 1 ? "," : "") + member;
        return out + "}";
      }
      default:
        return std::string(value);
    }
  }

 private:
  std::string text() {
    constexpr std::string_view pieces[] = {"a", "bc",     "\"",     "\\",         "\n", "\x01",
                                           "/", "\u00e9", "\u20ac", "\U0001F600", "x"};
    std::string out;
    for (std::size_t n = below(6); n > 0; --n) out += pieces[below(std::size(pieces))];
    return out;
  }

  std::string number() {
    std::string out = below(3) == 0 ? "-" : "";
    out += below(3) == 0 ? "0" : std::to_string(1 + below(2000));
    if (below(3) == 0) out += "." + std::to_string(below(1000));
    if (below(4) == 0) out += "e" + std::to_string(static_cast<int>(below(9)) - 4);
    return out;
  }

  std::string respelt_number(std::string_view number) {
    std::string out(number);
    const auto e = out.find_first_of("eE");
    const int exponent = e == std::string::npos ? 0 : std::stoi(out.substr(e + 1));
    out = out.substr(0, e);
    if (below(2) == 0) {
      out += out.find('.') == std::string::npos ? ".0" : "0";
    }
    if (below(2) == 0 && out.find('.') == std::string::npos) {
      return out + "000E" + std::to_string(exponent - 3);
    }
    return exponent == 0 && below(2) == 0 ? out : out + "E" + std::to_string(exponent);
  }

  std::string respelt_string(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const std::string minimal = json::quoted(text);
    std::string out = "\"";
    for (const char c : content(minimal)) {
      // Whatever is no part of an escape may be one.
      if (c >= 'a' && c <= 'z' && below(3) == 0 && minimal.find('\\') == std::string::npos) {
        const auto octet = static_cast<unsigned char>(c);
        out += std::string("\\u00") + digits[octet >> 4] + digits[octet & 15];
      } else {
        out += c;
      }
    }
    return out + "\"";
  }

  Dice random_;
};

/// The seed of this run: of the environment's DOCTOR_SEED, or another each time.
inline std::uint64_t test_seed() {
  if (const char* given = std::getenv("DOCTOR_SEED")) return std::strtoull(given, nullptr, 10);
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// How many runs a randomised test makes: times the environment's DOCTOR_TEST_SCALE, few where a
/// sanitizer makes each slow, at least one.
inline int test_runs(int count) {
  double scale = 1;
  if (const char* given = std::getenv("DOCTOR_TEST_SCALE")) scale = std::strtod(given, nullptr);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  scale *= 0.05;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  scale *= 0.05;
#endif
#endif
  return std::max(1, static_cast<int>(count * scale));
}

}  // namespace doctor::json
