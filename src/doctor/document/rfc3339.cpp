// Times as sessions spell them: declared in session.hpp.

#include <array>
#include <chrono>
#include <cstdio>

#include "doctor/document/session.hpp"

namespace doctor::document {
namespace {

using std::chrono::milliseconds;

// Takes the pieces of a time from the front; after the first that does not fit, nothing more.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  // A number of exactly `digits` digits, at most `max`.
  int number(std::size_t digits, int max) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
    good_ = good_ && value <= max;
    return value;
  }

  // One of two letters; which one is returned.
  char one_of(char a, char b) {
    if (!rest_.empty() && (rest_.front() == a || rest_.front() == b)) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      return c;
    }
    good_ = false;
    return '\0';
  }
  void expect(char c) { one_of(c, c); }

  // ["." 1*DIGIT], cut to milliseconds.
  milliseconds fraction() {
    int value = 0;
    if (rest_.empty() || rest_.front() != '.') return milliseconds{0};
    rest_.remove_prefix(1);
    int place = 100;
    do {
      value += place * digit();
      place /= 10;
    } while (good_ && !rest_.empty() && is_digit(rest_.front()));
    return milliseconds{value};
  }

  std::chrono::minutes offset() {
    if (!rest_.empty() && (rest_.front() == 'Z' || rest_.front() == 'z')) {
      rest_.remove_prefix(1);
      return {};
    }
    const char sign = one_of('+', '-');
    const int hours = number(2, 23);
    expect(':');
    const int minutes = number(2, 59);
    const std::chrono::minutes total{hours * 60 + minutes};
    return sign == '-' ? -total : total;
  }

  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  int digit() {
    if (!good_ || rest_.empty() || !is_digit(rest_.front())) {
      good_ = false;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  TimeReader reader(text);
  const year y{reader.number(4, 9999)};
  reader.expect('-');
  const month m{static_cast<unsigned>(reader.number(2, 12))};
  reader.expect('-');
  const day d{static_cast<unsigned>(reader.number(2, 31))};
  reader.one_of('T', 't');
  const hours hour{reader.number(2, 23)};
  reader.expect(':');
  const minutes minute{reader.number(2, 59)};
  reader.expect(':');
  const seconds second{reader.number(2, 60)};
  const milliseconds fraction = reader.fraction();
  const minutes offset = reader.offset();
  const year_month_day date{y, m, d};
  if (!reader.good() || !reader.at_end() || !date.ok()) return std::nullopt;

  const auto time = sys_days{date} + hour + minute - offset;
  // A leap second is the last of a day in UTC.
  const auto of_day = time - floor<days>(time);
  if (second == seconds{60} && of_day != hours{23} + minutes{59}) return std::nullopt;
  const milliseconds since_epoch = time.time_since_epoch() + second + fraction;
  return Timestamp(since_epoch.count());
}

std::string to_rfc3339(Timestamp time) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds{time.value}};
  const auto midnight = floor<days>(point);
  const year_month_day date{midnight};
  const hh_mm_ss of_day{point - midnight};
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(of_day.hours().count()),
      static_cast<int>(of_day.minutes().count()), static_cast<int>(of_day.seconds().count()),
      static_cast<int>(of_day.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace doctor::document
