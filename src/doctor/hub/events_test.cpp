#include <algorithm>

#include <gtest/gtest.h>

#include "doctor/hub/event_filter.hpp"
#include "doctor/hub/test_hub.hpp"

// Events: whom they reach, those about documents, filters, overflow.
namespace doctor::hub::testing {
namespace {

constexpr std::string_view first = "jms.queue.events";
constexpr std::string_view second = "jms.topic.vdsm_responses";

std::string notification(std::string_view id) {
  return R"({"jsonrpc":"2.0","method":")" + std::string(id) + R"(","params":{}})";
}

// Of what was heard, which subscription and the event's id: "1 |vm|created|1".
Lines told(Client& client) {
  Lines lines;
  for (const std::string& heard : client.hears()) {
    const std::size_t begin = heard.find("\"method\":\"");
    const std::string subscription = heard.substr(0, heard.find(' '));
    if (begin == heard.npos) {
      lines.push_back(heard);
    } else {
      lines.push_back(subscription + " " +
                      heard.substr(begin + 10, heard.find('"', begin + 10) - begin - 10));
    }
  }
  return lines;
}

TEST(Events, AreHeardOnceForEachConnectionAtTheFirstDestinationItHas) {
  World world;
  Client& both = world.client().as_connector().subscribe("a", second).subscribe("b", first);
  Client& twice = world.client().as_connector().subscribe("a", first).subscribe("b", first);
  Client& old = world.client().as_connector().subscribe("a", second);
  Client& above = world.client().as_connector().subscribe("a", "jms");
  Client& sender = world.client().as_connector();
  for (const std::string_view name : {first, second}) {
    sender.send(name, notification("|virt|VM_status|u1"));
    EXPECT_EQ(told(both), (Lines{"b |virt|VM_status|u1"})) << name;
    EXPECT_EQ(told(twice), (Lines{"a |virt|VM_status|u1", "b |virt|VM_status|u1"}));
    EXPECT_EQ(told(old), (Lines{"a |virt|VM_status|u1"}));
    EXPECT_EQ(told(above), (Lines{"a |virt|VM_status|u1"}));
  }
}

TEST(Events, DoNotTakeAnswersAlong) {
  World world;
  Client& client = world.client().as_connector().subscribe("a", second).subscribe("b", first);
  world.client().as_connector().send(second, R"({"jsonrpc":"2.0","id":1,"result":true})");
  EXPECT_EQ(client.hears(),
            (Lines{"a jms.topic.vdsm_responses [{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}]"}));
}

TEST(Events, MayHaveOtherDestinations) {
  Options options;
  options.event_queues = {"news"};
  World world({}, options);
  Client& client = world.client().as_connector().subscribe("1", "news").subscribe("2", first);
  world.commit({"+vm/1"});
  EXPECT_EQ(told(client), (Lines{"1 |vm|created|1"}));
}

TEST(DocumentEvents, TellWhatHappenedInTheOrderOfRevisions) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", first);
  world.commit({"+vm/1", "~vm/1 status,name", "-vm/1"});
  const std::string time = std::to_string(notify_time(world.now()));
  EXPECT_EQ(
      client.hears(),
      (Lines{"1 jms.queue.events [{\"jsonrpc\":\"2.0\",\"method\":\"|vm|created|1\",\"params\":"
             "{\"id\":\"1\",\"revision\":1,\"notify_time\":" +
                 time + "}}]",
             "1 jms.queue.events [{\"jsonrpc\":\"2.0\",\"method\":\"|vm|updated|1\",\"params\":"
             "{\"id\":\"1\",\"fields\":[\"status\",\"name\"],\"revision\":2,\"notify_time\":" +
                 time + "}}]",
             "1 jms.queue.events [{\"jsonrpc\":\"2.0\",\"method\":\"|vm|removed|1\",\"params\":"
             "{\"id\":\"1\",\"revision\":3,\"notify_time\":" +
                 time + "}}]"}));
  EXPECT_EQ(client.headers(), "content-type=application/json");
}

TEST(DocumentEvents, OfIdsWithBarsHaveThemEncoded) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", first);
  world.commit({"+v|m/a|b"});
  const Lines heard = client.hears();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_NE(heard[0].find("\"|v%7Cm|created|a%7Cb\""), heard[0].npos);
  EXPECT_NE(heard[0].find("{\"id\":\"a|b\""), heard[0].npos) << "not in what is no id of an event";
}

TEST(DocumentEvents, AreForThoseWhoMayReadTheDocument) {
  World world;
  world.session("one", R"({"vm":"1"})");
  world.session("none", "{}");
  Client& one = world.client().as_session("one").subscribe("1", first);
  Client& none = world.client().as_session("none").subscribe("1", first);
  world.commit({"+vm/1", "+vm/2", "-host/1"});
  EXPECT_EQ(told(one), (Lines{"1 |vm|created|1"}));
  EXPECT_EQ(told(none), Lines{});
}

TEST(DocumentEvents, AreJudgedByThePermissionsOfTheirRevision) {
  World world;
  world.session("s", R"({"vm":"1"})");
  Client& client = world.client().as_session("s").subscribe("1", first);
  world.commit({"+vm/2"});
  world.edit_session("s", R"({"vm":"2"})");
  world.commit({"~vm/1 a", "~vm/2 a"});
  EXPECT_EQ(told(client), (Lines{"1 |vm|updated|2"}));
}

TEST(DocumentEvents, InOneBatchWithAnEditOfASessionAreJudgedBeforeIt) {
  World world;
  world.session("s", R"({"vm":"1"})");
  Client& client = world.client().as_session("s").subscribe("1", first);
  std::vector<document::CommitPtr> commits = {world.commit_of({"-vm/2"})};
  auto edit = std::make_shared<document::Commit>(*world.commit_of({}));
  auto wide = std::make_shared<document::Session>();
  wide->id = "s";
  wide->permissions = document::Permissions::everything();
  edit->sessions.push_back({"s", wide});
  commits.push_back(edit);
  commits.push_back(world.commit_of({"-vm/3"}));
  world.announce(commits);
  EXPECT_EQ(told(client), (Lines{"1 |vm|removed|3"}));
}

TEST(DocumentEvents, ThatWaitAreJudgedAgainWhenTheyAreWritten) {
  World world;
  world.session("s", R"({"vm":"*"})");
  Client& client = world.client().as_session("s").subscribe("1", first);
  client.stop_reading();
  world.commit({"+vm/1"});
  world.commit({"+vm/2"});
  world.edit_session("s", "{}");
  client.read();
  EXPECT_EQ(told(client), (Lines{"1 |vm|created|1"})) << "the first was under way already";
  EXPECT_EQ(world.hub().broker().figures().dropped_forbidden, 1u);
}

TEST(DocumentEvents, EndWithTheSession) {
  World world;
  world.session("s", "\"*\"");
  Client& client = world.client().as_session("s").subscribe("1", first);
  world.end_session("s");
  EXPECT_EQ(client.hears(), (Lines{"ERROR The session has ended", "closed"}));
}

TEST(DocumentEvents, CanBeTurnedOff) {
  World world;
  Client& client = world.client().as_connector().subscribe("1", first);
  world.hub().use({{}, false});
  world.commit({"+vm/1"});
  EXPECT_EQ(client.hears(), Lines{});
  world.hub().use({{}, true});
  world.commit({"+vm/2"});
  EXPECT_EQ(told(client), (Lines{"1 |vm|created|2"}));
}

// Held in memory, or read from the commit log.
class LargeCommits : public ::testing::TestWithParam<std::size_t> {};

TEST_P(LargeCommits, AreToldInParts) {
  Limits limits;
  limits.events_backlog_bytes = GetParam();
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", first);
  std::vector<std::string> changes;
  for (int i = 0; i < 5'000; ++i) changes.push_back("+vm/" + std::to_string(i));
  world.announce({world.commit_of(changes)});
  EXPECT_TRUE(world.hub().unfinished());
  world.commit({"-vm/0"});
  Lines all = told(client);
  EXPECT_LT(all.size(), 5'000u);
  for (int turns = 0; world.hub().unfinished(); ++turns) {
    ASSERT_LT(turns, 1'000);
    world.hub().advance(world.now());
    world.pump();
    for (std::string& line : told(client)) all.push_back(std::move(line));
  }
  ASSERT_EQ(all.size(), 5'001u);
  for (std::size_t i = 0; i < 5'000; ++i) ASSERT_EQ(all[i], "1 |vm|created|" + std::to_string(i));
  EXPECT_EQ(all.back(), "1 |vm|removed|0");
}

TEST(DocumentEvents, ThatManyHearAreToldInSmallerParts) {
  World world;
  Client& client = world.client().as_connector();
  constexpr std::size_t subscriptions = 1'000;
  for (std::size_t i = 0; i < subscriptions; ++i) client.subscribe(std::to_string(i), first);
  std::vector<std::string> changes;
  for (int i = 0; i < 50; ++i) changes.push_back("+vm/" + std::to_string(i));
  world.announce({world.commit_of(changes)});
  EXPECT_TRUE(world.hub().unfinished());
  std::size_t heard = client.hears().size();
  EXPECT_LT(heard, changes.size() * subscriptions / 2);
  while (world.hub().unfinished()) {
    world.hub().advance(world.now());
    world.pump();
    heard += client.hears().size();
  }
  EXPECT_EQ(heard, changes.size() * subscriptions);
  EXPECT_EQ(world.hub().figures().document_events, changes.size());
}

INSTANTIATE_TEST_SUITE_P(Backlog, LargeCommits, ::testing::Values(64u << 20, 0u));

TEST(DocumentEvents, ThatAreLostAreTold) {
  Limits limits;
  limits.events_backlog_bytes = 0;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", first, "event-filter:*|virt|*|*\n");
  auto commit = std::make_shared<document::Commit>();
  commit->revision = document::Revision(1);  // and the log does not have it
  commit->changes.push_back({document::ChangeKind::created, "vm", "1", {}});
  world.announce({commit});
  EXPECT_EQ(told(client), (Lines{"1 |doctor|overflow|documents"}));
  EXPECT_FALSE(world.hub().unfinished());
  EXPECT_EQ(world.hub().figures().document_events_lost, 1u);
}

TEST(EventFilters, LetThroughWhatMatchesOneOfTheirIds) {
  World world;
  Client& client = world.client().as_connector().subscribe(
      "1", first, "event-filter:*|virt|VM_status|*,*|vm|*|7\n");
  Client& sender = world.client().as_connector();
  for (const std::string id : {"|virt|VM_status|u1", "|virt|VM_migration_status|u1",
                               "|net|host_conn|no_id", "host|virt|VM_status|"}) {
    sender.send(first, notification(id));
  }
  world.commit({"+vm/7", "+vm/8"});
  sender.send(second,
              "[" + notification("|a|b|c") + "," + notification("|virt|VM_status|u2") + "]");
  EXPECT_EQ(told(client), (Lines{"1 |virt|VM_status|u1", "1 host|virt|VM_status|",
                                 "1 |vm|created|7", "1 |a|b|c"}))
      << "a batch goes whole";
}

TEST(EventFilters, CountAsSubscriptionsEachOfTheirIds) {
  Limits limits;
  limits.stomp_subscriptions = 3;
  World world(limits);
  Client& client = world.client().connect("login:connector\npasscode:the secret\n");
  client.subscribe("1", first, "event-filter:*|a|*|*,*|b|*|*\n").subscribe("2", first);
  EXPECT_EQ(client.subscribe("3", first).hears().at(0),
            "ERROR There are more subscriptions than the limit stomp_subscriptions");
}

TEST(EventFilters, CountWithTheirText) {
  Limits limits;
  limits.stomp_subscriptions_bytes = 50;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("1", first);
  EXPECT_EQ(client.hears(), Lines{});
  EXPECT_EQ(
      client.subscribe("2", first, "event-filter:*|a|*|0123456789012345678901\n").hears().at(0),
      "ERROR The subscriptions are together larger than the limit stomp_subscriptions_bytes");
}

TEST(EventFilters, LetAnswersThrough) {
  World world;
  Client& client =
      world.client().as_connector().subscribe("1", second, "event-filter:*|virt|*|*\n");
  client.send("jms.topic.vdsm_requests", R"({"jsonrpc":"2.0","method":"a","id":1})",
              "reply-to:jms.topic.vdsm_responses\n");
  world.answer_all(world.requests().at(0), "true");
  EXPECT_EQ(client.hears().size(), 1u);
}

TEST(EventFilters, NameReceiversOnlyWhereAnEventHasOne) {
  const auto filter = parse_event_filter("host1|*|*|u1", 10);
  ASSERT_TRUE(filter);
  EXPECT_TRUE((*filter)("|virt|VM_status|u1")) << "who receives it fills it in";
  EXPECT_TRUE((*filter)("host1|virt|VM_status|u1"));
  EXPECT_FALSE((*filter)("host2|virt|VM_status|u1"));
  EXPECT_FALSE((*filter)("no event"));
}

TEST(EventFilters, ThatAreNoneAreRefused) {
  World world;
  for (const std::string filter : {"", "virt", "*|*|*|*", "a|b|c|d,", "*|virt|VM_status"}) {
    EXPECT_EQ(world.client()
                  .as_connector()
                  .subscribe("1", first, "event-filter:" + filter + "\n")
                  .hears()
                  .at(0),
              "ERROR event-filter is no list of receiver|component|operation|unique id")
        << filter;
  }
  EXPECT_EQ(parse_event_filter("*|a|*|*,*|b|*|*", 1).error().message,
            "event-filter has more ids than the limit events_filters");
}

TEST(Overflow, OfEventsDropsTheOldestAndTellsTheirNumber) {
  Limits limits;
  limits.stomp_outbox_frames = 4;
  World world(limits);
  Client& client = world.client().as_connector().subscribe("s|1", first);
  client.stop_reading();
  world.commit({"+vm/0"});  // taken by the socket
  world.commit({"+vm/1", "+vm/2", "+vm/3", "+vm/4", "+vm/5", "+vm/6"});
  client.read();
  const Lines heard = told(client);
  const auto notice = std::find(heard.begin(), heard.end(), "s|1 |doctor|overflow|s%7C1");
  ASSERT_NE(notice, heard.end());
  EXPECT_EQ(heard.front(), "s|1 |vm|created|0");
  EXPECT_EQ(heard.at(1), "s|1 |vm|created|3") << "the oldest that waited were dropped";
  EXPECT_EQ(std::count(heard.begin(), heard.end(), *notice), 1);
  EXPECT_EQ(heard.size(), 1 + 4 + 1u);
  EXPECT_EQ(world.hub().broker().figures().dropped_overflow, 2u);
}

TEST(Overflow, CountsNothingThatMayNotBeHeard) {
  Limits limits;
  limits.stomp_outbox_frames = 4;
  World world(limits);
  world.session("s", R"({"vm":"1"})");
  Client& client = world.client().as_session("s").subscribe("1", first);
  Client& sender = world.client().as_connector();
  client.stop_reading();
  world.commit({"+vm/1"});  // taken by the socket
  for (int i = 0; i < 6; ++i) {
    world.commit({"~vm/1 a", "~vm/2 a", "+host/1", "-host/1"});
    sender.send(first, notification("|virt|VM_status|u1"));
    world.hub().publish({"|virt|VM_status|u2", "{}"}, world.now());
  }
  client.read();
  const Lines heard = client.hears();
  EXPECT_EQ(heard.size(), 1 + 4 + 1u);
  for (const std::string& line : heard) {
    const bool is_of_the_document = line.find(R"("id":"1")") != line.npos;
    EXPECT_TRUE(is_of_the_document || line.find(R"("dropped":2,)") != line.npos) << line;
  }
}

TEST(KeptEvents, AreWhatClientsSentAndNotWhatDoctorMade) {
  Options options;
  options.keeps_events = true;
  Limits limits;
  limits.events_waiting = 2;
  World world(limits, options);
  world.client().as_connector().subscribe("1", first);
  world.commit({"+vm/1"});
  world.hub().publish({"|doctor|x|y", "{}"}, world.now());
  Client& sender = world.client().as_connector();
  sender.send(second, notification("|virt|VM_status|u1")).send(first, "no JSON");
  sender.send(first, R"({"jsonrpc":"2.0","method":"|a|b|c","id":1})");
  sender.send(first, "[" + notification("|a|b|1") + "," + notification("|a|b|2") + "]");
  const auto kept = world.hub().take_events();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].id, "|a|b|1") << "the oldest made room";
  EXPECT_EQ(kept[0].params, "{}");
  EXPECT_EQ(kept[1].id, "|a|b|2");
  EXPECT_EQ(world.hub().figures().events_not_kept, 1u);
  EXPECT_TRUE(world.hub().take_events().empty());
}

TEST(Published, EventsAreForThoseWhoMayReadEverything) {
  World world;
  world.session("some", R"({"vm":"*"})");
  Client& some = world.client().as_session("some").subscribe("1", first);
  Client& connector = world.client().as_connector().subscribe("1", first);
  world.hub().publish({"|virt|VM_status|u1", R"({"u1":{"status":"Up"}})"}, world.now());
  world.pump();
  EXPECT_EQ(some.hears(), Lines{});
  EXPECT_EQ(told(connector), (Lines{"1 |virt|VM_status|u1"}));
}

}  // namespace
}  // namespace doctor::hub::testing
