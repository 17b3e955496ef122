#include "doctor/rules/rule_set.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "doctor/json/value.hpp"

namespace doctor::rules {
namespace {

using Texts = std::vector<std::string>;

Rule rule(std::string_view events, std::string_view collection, std::string_view id,
          std::string_view take, Fields fields = {}) {
  return {.events = events::SubscriptionId::parse(events).value(),
          .collection = std::string(collection),
          .id = IdSource::parse(id).value(),
          .take = Path::parse_below("params", take).value(),
          .fields = std::move(fields)};
}

// The example that is shipped.
Rule status_rule() {
  Rule made = rule("*|virt|VM_status|*", "vm", "{unique_id}", "params.{unique_id}",
                   {{"status", "exitMessage", "exitReason", "exitCode", "displayIp", "displayPort",
                     "displaySecurePort", "displayType", "clientIp"}});
  made.refresh = {"Host.getAllVmStats", "", Path::parse_below("result", "result").value(),
                  IdSource::parse_of_item("vmId").value()};
  return made;
}
Rule migration_rule() {
  return rule("*|virt|VM_migration_status|*", "vm", "{unique_id}", "params.{unique_id}",
              {{"progress"}, {}, {{"progress", "migration_progress"}}});
}

class RuleSetTest : public testing::Test {
 protected:
  void use(std::vector<Rule> rules) { rules_ = RuleSet(std::move(rules), limits_); }

  void event(std::string_view method, std::string_view params, std::string_view upstream = {}) {
    rules_.apply({upstream, method, params}, merges_);
  }
  bool is_for(std::string_view method, std::string_view upstream = {}) const {
    return rules_.is_for({upstream, method, "{}"});
  }
  void answer(std::string_view result, std::string_view upstream = "host1") {
    for (const auto& call : rules_.refresh_calls(upstream)) {
      rules_.apply_answer(call, upstream, result, merges_);
    }
  }

  // `vm/1 {"a":1}`, with a `+` in front if it is created when missing; what a rule could not do
  // comes after the merges, as `rule 0: ...`. Forgets them.
  Texts outcome() {
    Texts all;
    for (const Merge& merge : merges_.merges) {
      auto document = document::Document::of_checked(R"({"id":)" + json::quoted(merge.id) + "}");
      auto patched = merge.patch.apply(document.view(), document::IdRule::document, limits_);
      std::string fields = patched ? std::string(patched->document.view().text()) : "refused";
      const std::string id = R"({"id":)" + json::quoted(merge.id);
      if (fields.starts_with(id)) {
        fields = "{" + fields.substr(id.size() + (fields.size() > id.size() + 1 ? 1 : 0));
      }
      all.push_back((merge.create ? "+" : "") + merge.collection + "/" + merge.id + " " + fields);
    }
    for (const Unfit& unfit : merges_.unfit) {
      all.push_back("rule " + std::to_string(unfit.rule) +
                    (unfit.cause == Unfit::Cause::invalid ? " invalid: " : ": ") + unfit.detail);
    }
    merges_ = {};
    return all;
  }

  Limits limits_;
  RuleSet rules_;
  Merges merges_;
};

TEST_F(RuleSetTest, TheShippedExampleKeepsTheStatusOfVms) {
  use({status_rule(), migration_rule()});
  event("|virt|VM_status|u1",
        R"({"u1":{"status":"Up","hash":"77","displayIp":"10.0.0.1"},"notify_time":2148725720})");
  event("|virt|VM_status|u1",
        R"({"u1":{"status":"Down","exitMessage":"gone","exitCode":1},"notify_time":2148725730})");
  event("|virt|VM_migration_status|u2",
        R"({"u2":{"progress":40,"postcopy":false},"notify_time":2148725740})");
  event("|net|host_conn|no_id", R"({"notify_time":2148725750})");
  EXPECT_EQ(outcome(), (Texts{R"(vm/u1 {"status":"Up","displayIp":"10.0.0.1"})",
                              R"(vm/u1 {"status":"Down","exitMessage":"gone","exitCode":1})",
                              R"(vm/u2 {"migration_progress":40})"}));
}

TEST_F(RuleSetTest, TheAnswerToARefreshGoesThroughTheSameFields) {
  use({status_rule(), migration_rule()});
  const auto calls = rules_.refresh_calls("host1");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls.front().method, "Host.getAllVmStats");
  answer(R"([{"vmId":"u1","status":"Up","cpuUser":"3.4"},{"status":"Up"},{"vmId":"u2","x":0},7])");
  EXPECT_EQ(outcome(),
            (Texts{R"(vm/u1 {"status":"Up"})", "vm/u2 {}", "rule 0: there is no id of a document",
                   "rule 0: there is no id of a document"}));
}

TEST_F(RuleSetTest, OfAnAnswerNoMoreItemsAreTakenThanTheLimitSays) {
  limits_.events_refresh_items = 2;
  use({status_rule()});
  answer(R"([{"vmId":"1"},{"vmId":"2"},{"vmId":"3"},{"vmId":"4"}])");
  EXPECT_EQ(outcome(),
            (Texts{"vm/1 {}", "vm/2 {}",
                   "rule 0 invalid: there are more items than the limit `events_refresh_items`"}));
}

TEST_F(RuleSetTest, AnObjectIsTheOneItemOfAnAnswer) {
  Rule capabilities = rule("*|net|host_conn|*", "host", "{receiver}", "params");
  capabilities.refresh = {"Host.getCapabilities", R"({"full":true})",
                          Path::parse_below("result", "result.caps").value(),
                          IdSource::parse_of_item("{receiver}").value()};
  use({capabilities});
  EXPECT_EQ(rules_.refresh_calls("host1").front().params, R"({"full":true})");
  answer(R"({"caps":{"cores":4}})");
  EXPECT_EQ(outcome(), Texts{R"(host/host1 {"cores":4})"});
  answer("[]");
  EXPECT_EQ(outcome(), Texts{"rule 0: the answer to Host.getCapabilities does not have the items"});
}

TEST_F(RuleSetTest, RulesThatWouldAskTheSameShareOneRequest) {
  Rule other = status_rule();
  other.refresh->params = "{}";
  use({status_rule(), migration_rule(), other, status_rule()});
  const auto calls = rules_.refresh_calls("host1");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].rules, (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(calls[1].rules, (std::vector<std::size_t>{2}));
}

TEST_F(RuleSetTest, TheReceiverIsTheNameOfTheUpstreamAndTheBrokerHasNone) {
  use({rule("*|net|host_conn|*", "host", "{receiver}", "params"),
       rule("host2|*|*|*", "seen", "last", "params")});
  event("|net|host_conn|no_id", R"({"t":1})", "host1");
  event("|net|host_conn|no_id", R"({"t":2})", "host2");
  EXPECT_EQ(outcome(),
            (Texts{R"(host/host1 {"t":1})", R"(host/host2 {"t":2})", R"(seen/last {"t":2})"}));
  // Whatever the sender says of itself.
  event("|net|host_conn|no_id", R"({"t":3})");
  event("host2|net|host_conn|no_id", R"({"t":4})");
  EXPECT_EQ(outcome(), (Texts{"rule 0: there is no id of a document",
                              "rule 0: there is no id of a document"}));
}

TEST_F(RuleSetTest, ARuleTakesEventsFromWhereItSays) {
  Rule of_broker = rule("*|a|*|*", "b", "x", "params");
  of_broker.from = Rule::broker;
  Rule of_host = rule("*|a|*|*", "h", "x", "params");
  of_host.from = "host1";
  of_host.refresh = {"m", "", Path(), IdSource::parse_of_item("id").value()};
  use({of_broker, of_host, rule("*|a|*|*", "all", "x", "params")});
  event("|a|b|c", "{}");
  EXPECT_EQ(outcome(), (Texts{"b/x {}", "all/x {}"}));
  event("|a|b|c", "{}", "host1");
  EXPECT_EQ(outcome(), (Texts{"h/x {}", "all/x {}"}));
  event("|a|b|c", "{}", "host2");
  EXPECT_EQ(outcome(), (Texts{"all/x {}"}));
  EXPECT_EQ(rules_.refresh_calls("host1").size(), 1u);
  EXPECT_TRUE(rules_.refresh_calls("host2").empty());
}

TEST_F(RuleSetTest, AnIdMayStandInParams) {
  use({rule("*|jobs|status|*", "job", "params.id", "params",
            {{}, {"id", "notify_time"}, {{"status", "state"}}})});
  event("|jobs|status|j1", R"({"id":"j1","status":"running","progress":3,"notify_time":1})");
  event("|jobs|status|j2", R"({"id":-0,"status":"done"})");
  EXPECT_EQ(outcome(),
            (Texts{R"(job/j1 {"state":"running","progress":3})", R"(job/0 {"state":"done"})"}));
  for (const char* params :
       {R"({"id":1.5})", R"({"id":""})", R"({"id":null})", R"({"id":"\u0007"})", R"({"i":"d"})"}) {
    event("|jobs|status|j1", params);
    EXPECT_EQ(outcome(), Texts{"rule 0: there is no id of a document"}) << params;
  }
}

TEST_F(RuleSetTest, TheIdOfTheDocumentMayBeAmongTheFields) {
  use({rule("*|jobs|status|*", "job", "{unique_id}", "params")});
  event("|jobs|status|7", R"({"id":7,"status":"done"})");
  event("|jobs|status|7", R"({"id":8})");
  EXPECT_EQ(outcome(), (Texts{R"(job/7 {"status":"done"})", "job/7 refused"}));
}

TEST_F(RuleSetTest, WhatIsNotThereIsNotApplicableAndWhatIsWrongIsInvalid) {
  use({rule("*|virt|VM_status|*", "vm", "{unique_id}", "params.{unique_id}",
            {{}, {}, {{"a", "b"}}})});
  event("|virt|VM_status|u1", R"({"u2":{}})");
  event("|virt|VM_status|u1", "");
  event("|virt|VM_status|u1", "[1]");
  event("|virt|VM_status|", R"({"":{}})");
  const Texts missing(4, "rule 0: params do not have the part that the rule takes");
  EXPECT_EQ(outcome(), missing);
  event("|virt|VM_status|u1", R"({"u1":"Up"})");
  EXPECT_EQ(outcome(), Texts{"rule 0 invalid: what is to be merged is no object"});
  event("|virt|VM_status|u1", R"({"u1":{"a":1,"b":2}})");
  EXPECT_EQ(outcome(),
            Texts{"rule 0 invalid: its fields: the same key twice in one object (at byte 7)"});
}

TEST_F(RuleSetTest, AnEventThatNoRuleIsForIsKnownBeforehand) {
  EXPECT_FALSE(is_for("|virt|VM_status|u1"));
  Rule of_host = status_rule();
  of_host.from = "host1";
  use({of_host});
  EXPECT_TRUE(is_for("|virt|VM_status|u1", "host1"));
  EXPECT_FALSE(is_for("|virt|VM_status|u1", "host2"));
  EXPECT_FALSE(is_for("|virt|VM_status|u1"));
  EXPECT_FALSE(is_for("|virt|VM_status|*", "host1"));
  EXPECT_FALSE(is_for("|virt|other|u1", "host1"));
  EXPECT_FALSE(is_for("no event", "host1"));
}

TEST_F(RuleSetTest, SeveralRulesMayTakeOneEventInTheirOrder) {
  std::vector<Rule> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(
        rule(i % 2 == 0 ? "*|a|*|*" : "*|*|b|*", "c" + std::to_string(i), "x", "params"));
  }
  use(many);
  event("|a|b|c", "{}");
  ASSERT_EQ(merges_.merges.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(merges_.merges[i].rule, i);
}

TEST_F(RuleSetTest, NoRuleTakesNoticesAboutMany) {
  use({rule("*|a|*|*", "c", "x", "params")});
  for (const char* notice : {"|*|*|*", "|a|*|1", "|a|b|*"}) event(notice, "{}", "host1");
  for (const char* no_event : {"", "a", "a|b|c", "Host.ping"}) event(no_event, "{}");
  EXPECT_EQ(outcome(), Texts{});
}

TEST_F(RuleSetTest, NoRuleTakesWhatADoctorTellsOfItsDocuments) {
  use({rule("*|vm|*|*", "c", "{unique_id}", "params")});
  event("|vm|created|1", R"({"id":"1","revision":7,"notify_time":1})");
  event("|vm|updated|1", R"({"id":"1","fields":["a"],"revision":7,"notify_time":1})", "host1");
  event("|vm|removed|1", R"({"id":"1","revision":7,"notify_time":1})");
  EXPECT_EQ(outcome(), Texts{});
  event("|vm|updated|1", R"({"id":"1","status":"up","revision":7})");
  event("|vm|updated|1", R"({"status":"up"})");
  event("|vm|moved|1", R"({"id":"1","revision":7})");
  EXPECT_EQ(outcome().size(), 3u);
}

}  // namespace
}  // namespace doctor::rules
