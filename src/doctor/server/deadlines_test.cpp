#include "doctor/server/deadlines.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace doctor::server {
namespace {

using std::chrono::seconds;

class Connection : public Watched {
 public:
  void expect_by(Clock::time_point deadline) { deadline_ = deadline; }
  void expired() override { ++expired_; }
  void wind_up() override { ++wound_up_; }
  void abort() override {}

  int expired_ = 0;
  int wound_up_ = 0;
};

TEST(Deadlines, OnePassedIsToldOnce) {
  const Clock::time_point start{seconds(100)};
  Deadlines deadlines;
  Connection early;
  Connection late;
  Connection without;
  for (Connection* connection : {&early, &late, &without}) deadlines.add(*connection);
  early.expect_by(start + seconds(1));
  late.expect_by(start + seconds(10));
  deadlines.sweep(start);
  EXPECT_EQ(early.expired_, 0);
  deadlines.sweep(start + seconds(2));
  deadlines.sweep(start + seconds(3));
  EXPECT_EQ(early.expired_, 1);
  EXPECT_EQ(late.expired_, 0);
  deadlines.sweep(start + seconds(1000));
  EXPECT_EQ(late.expired_, 1);
  EXPECT_EQ(without.expired_, 0);
}

TEST(Deadlines, OneWithoutIsWatchedOnceItHasOne) {
  const Clock::time_point start{seconds(100)};
  Deadlines deadlines;
  Connection connection;
  deadlines.add_without_deadline(connection);
  deadlines.wind_up();
  EXPECT_EQ(connection.wound_up_, 1);
  connection.expect_by(start);
  deadlines.add(connection);
  deadlines.wind_up();
  EXPECT_EQ(connection.wound_up_, 2);
  deadlines.sweep(start);
  EXPECT_EQ(connection.expired_, 1);
}

TEST(Deadlines, AConnectionThatHasGoneIsForgotten) {
  Deadlines deadlines;
  Connection stays;
  deadlines.add(stays);
  {
    std::optional<Connection> goes(std::in_place);
    deadlines.add(*goes);
  }
  deadlines.wind_up();
  EXPECT_EQ(stays.wound_up_, 1);
}

}  // namespace
}  // namespace doctor::server
