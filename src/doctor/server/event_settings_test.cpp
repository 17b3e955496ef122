#include "doctor/server/event_settings.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "doctor/rules/rule_set.hpp"
#include "doctor/server/configuration.hpp"

namespace doctor::server {
namespace {

constexpr std::string_view rule = R"([[events.rule]]
events = "*|virt|VM_status|*"
collection = "vm"
id = "{unique_id}"
)";
constexpr std::string_view upstream = R"([[events.upstream]]
name = "host1"
host = "10.0.0.1"
)";

class EventSettingsTest : public testing::Test {
 protected:
  EventSettingsTest() : path_(testing::TempDir() + "events-" + std::to_string(getpid())) {
    std::filesystem::create_directory(path_);
  }
  ~EventSettingsTest() override { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name, std::string_view content) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }
  Result<Configuration> load(std::string_view content) const {
    Flags flags;
    flags.config = file("doctor.toml", content);
    return load_configuration(flags, [](const char*) { return std::nullopt; });
  }
  EventSettings settings(std::string_view content) const { return load(content).value().events; }
  /// Without the path of the file: `3: events.rule...`.
  std::string mistake(std::string_view content) const {
    const auto loaded = load(content);
    return loaded ? "none" : loaded.error().detail.substr(path_.size() + 13);
  }
  static std::string and_then(std::string_view begin, std::string_view more) {
    return std::string(begin) + std::string(more) + "\n";
  }

  std::string path_;
};

// The lines of the shipped file from a table's head to the next blank line, no longer comments.
std::string example(std::string_view head) {
  std::ifstream shipped(DOCTOR_EXAMPLE_CONFIGURATION);
  std::string text;
  for (std::string line; std::getline(shipped, line);) {
    if (text.empty() && line != "# " + std::string(head)) continue;
    if (line.empty()) break;
    text += (line.size() > 1 ? line.substr(2) : "") + '\n';
  }
  return text;
}

TEST_F(EventSettingsTest, TheShippedExampleOfRulesKeepsStatusAndMigrationProgressOfVms) {
  const EventSettings read = settings(example("[[events.rule]]"));
  ASSERT_EQ(read.rules.size(), 2u);
  const rules::RuleSet rules(read.rules, Limits{});
  rules::Merges merges;
  rules.apply({.method = "|virt|VM_status|u1",
               .params = R"({"u1":{"status":"Up","hash":"1","displayIp":"0"},"notify_time":7})"},
              merges);
  rules.apply({.upstream = "host1",
               .method = "|virt|VM_migration_status|u1",
               .params = R"({"u1":{"progress":40,"postcopy":false},"notify_time":8})"},
              merges);
  ASSERT_EQ(merges.merges.size(), 2u);
  auto document = document::Document::of_checked(R"({"id":"u1","name":"vm1"})");
  for (const rules::Merge& merge : merges.merges) {
    EXPECT_EQ(merge.collection, "vm");
    EXPECT_EQ(merge.id, "u1");
    EXPECT_FALSE(merge.create);
    document = merge.patch.apply(document.view(), document::IdRule::document, Limits{})->document;
  }
  EXPECT_EQ(document.view().text(),
            R"({"id":"u1","name":"vm1","status":"Up","displayIp":"0","migration_progress":40})");
  EXPECT_EQ(rules.refresh_calls("host1").front().method, "Host.getAllVmStats");
}

TEST_F(EventSettingsTest, TheShippedExampleOfAnUpstreamNamesEverySetting) {
  std::string text = example("[[events.upstream]]");
  const std::size_t secret = text.find("secret_file");
  text.erase(secret, text.find('\n', secret) - secret);
  const EventSettings read = settings(text);
  ASSERT_EQ(read.upstreams.size(), 1u);
  EXPECT_EQ(read.upstreams.front().name, "host1");
  EXPECT_EQ(read.upstreams.front().tls->key, "/etc/doctor/key.pem");
}

TEST_F(EventSettingsTest, ThereAreNoRulesAndNoUpstreamsByDefault) {
  for (const char* content : {"", "[events]", "events.rule = []\nevents.upstream = []"}) {
    EXPECT_TRUE(settings(content).rules.empty());
    EXPECT_TRUE(settings(content).upstreams.empty());
  }
}

TEST_F(EventSettingsTest, ARuleTakesAllParamsFromAnywhereUnlessItSaysOtherwise) {
  const EventSettings read = settings(rule);
  ASSERT_EQ(read.rules.size(), 1u);
  EXPECT_EQ(read.rules.front().from, "*");
  EXPECT_FALSE(read.rules.front().create);
  EXPECT_FALSE(read.rules.front().refresh);
  const rules::RuleSet rules(read.rules, Limits{});
  rules::Merges merges;
  rules.apply({.method = "|virt|VM_status|u1", .params = R"({"a":1})"}, merges);
  ASSERT_EQ(merges.merges.size(), 1u);
  EXPECT_EQ(merges.merges.front().id, "u1");
}

TEST_F(EventSettingsTest, ARefreshMayHaveParams) {
  const auto read = settings(and_then(
      rule,
      R"(refresh = { method = "m", params = { a = [1, "x\n", true], b = { c = 1.5 } }, id = "vmId" })"));
  EXPECT_EQ(read.rules.front().refresh->params, R"({"a":[1,"x\n",true],"b":{"c":1.5}})");
  const auto list =
      settings(and_then(rule, R"(refresh = { method = "m", params = [], id = "{receiver}" })"));
  EXPECT_EQ(list.rules.front().refresh->params, "[]");
}

TEST_F(EventSettingsTest, AnUpstreamIsAVdsmHostUnlessItSaysOtherwise) {
  const auto read = settings(and_then(upstream, "[events.upstream.tls]"));
  const UpstreamSettings& host = read.upstreams.front();
  EXPECT_EQ(host.port, 54'321);
  EXPECT_EQ(host.peer, UpstreamSettings::Peer::vdsm);
  EXPECT_TRUE(host.tls->check_peer_name);
  EXPECT_EQ(host.event_destination, "jms.queue.events");
  EXPECT_FALSE(host.republish);
  EXPECT_FALSE(settings(upstream).upstreams.front().tls);
}

TEST_F(EventSettingsTest, AnUpstreamThatIsADoctorMayWantASecret) {
  const std::string secret = file("secret", "s3cret\n");
  const auto read = settings(
      and_then(upstream, "peer = \"doctor\"\nsecret_file = \"" + secret + "\"\nrepublish = true"));
  const UpstreamSettings& peer = read.upstreams.front();
  EXPECT_EQ(peer.port, 61'613);
  EXPECT_EQ(peer.secret, "s3cret");
  EXPECT_TRUE(peer.republish);
}

TEST_F(EventSettingsTest, MistakesOfARuleAreNamedWithTheirLineAndWhatWasExpected) {
  EXPECT_EQ(mistake("\n[[events.rule]]\ncollection = \"vm\"\n"),
            "2: events.rule.events is missing here");
  EXPECT_EQ(mistake("[[events.rule]]\nevents = \"*|a|*|*\"\n"),
            "1: events.rule.collection is missing here");
  EXPECT_EQ(mistake("[[events.rule]]\nevents = \"*|*|*|*\"\ncollection = \"vm\"\n"),
            "2: events.rule.events: found '*|*|*|*', expected a subscription id: "
            "\"receiver|component|operation|unique id\", \"*\" for any, not all \"*\"");
  EXPECT_EQ(mistake(and_then(rule, "takes = \"params\"")),
            "5: events.rule.takes: no such setting; expected one of events, id, take, from, "
            "collection, fields, leave_out, rename, create, refresh");
  for (const auto& [line, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"from = \"host1\"", "from: found 'host1', expected \"broker\", the name of an"},
           {"take = \"result\"", "take: found 'result', expected a path: \"params\""},
           {"fields = [\"\"]", "fields: found '', expected a field's name"},
           {"fields = \"status\"", "fields: found 'status', expected a list of texts"},
           {"rename = { a = \"x.y\" }", "rename.a: found 'x.y', expected a name that a document's"},
           {"rename = { a = \"x\", b = \"x\" }", "rename gives two fields the name x"},
           {"rename = [\"a\"]", "rename: found [ 'a' ], expected names and texts in braces"},
           {"fields = [\"b\"]\nrename = { a = \"x\" }", "rename names a, which is not among"},
           {"create = 1", "create: found 1, expected true or false"},
           {"refresh = { id = \"x\" }", "refresh.method is missing here"},
           {"refresh = { method = \"m\" }", "refresh.id is missing here"},
           {"refresh = { method = \"m\", id = \"{x}\" }",
            "refresh.id: found '{x}', expected a path"},
           {"refresh = { method = \"m\", id = \"x\", items = \"vms\" }", "refresh.items: found"},
           {"refresh = { method = \"m\", id = \"x\", params = 7 }", "refresh.params: found 7, exp"},
           {"refresh = { method = \"m\", id = \"x\", every = 7 }",
            "refresh.every: no such setting"},
           {"refresh = \"m\"", "refresh: found 'm', expected a table"},
           {"from = \"broker\"\nrefresh = { method = \"m\", id = \"x\" }",
            "refresh asks an upstr"}}) {
    const std::string found = mistake(and_then(rule, line));
    EXPECT_NE(found.find(std::string(": events.rule.") + what), std::string::npos) << found;
  }
  EXPECT_NE(
      mistake("[[events.rule]]\nevents = \"*|a|*|*\"\ncollection = \"v m\"").find("3: events"),
      std::string::npos);
  EXPECT_EQ(mistake("events.rule = 7"),
            "1: events.rule: found 7, expected tables: [[events.rule]]");
}

TEST_F(EventSettingsTest, MistakesOfAnUpstreamAreNamedWithTheirLineAndWhatWasExpected) {
  EXPECT_EQ(mistake("[[events.upstream]]\nhost = \"h\""),
            "1: events.upstream.name is missing here");
  EXPECT_EQ(mistake("[[events.upstream]]\nname = \"h\""),
            "1: events.upstream.host is missing here");
  EXPECT_EQ(mistake(std::string(upstream) + std::string(upstream)),
            "5: events.upstream.name is that of another upstream too");
  for (const char* name : {"a|b", "*", "broker", "", "{x}"}) {
    EXPECT_NE(mistake("[[events.upstream]]\nhost = \"h\"\nname = \"" + std::string(name) + "\"")
                  .find("3: events.upstream.name: found"),
              std::string::npos)
        << name;
  }
  for (const auto& [line, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"peer = \"rabbit\"", "peer: found 'rabbit', expected \"vdsm\" or \"doctor\""},
           {"port = 0", "port: found 0, expected a whole number from 1 to 65535"},
           {"tls = true", "tls: found true, expected a table: [tls]"},
           {"tls = { key = \"k\" }", "tls.key stands without its cert"},
           {"tls = { cacert = \"k\" }", "tls.cacert: no such setting"},
           {"secret_file = \"/none\"", "secret_file is for peer = \"doctor\" only"},
           {"peer = \"doctor\"\nsecret_file = \"/none\"",
            "secret_file is not good: secret file /no"},
           {"republish = \"yes\"", "republish: found 'yes', expected true or false"}}) {
    const std::string found = mistake(and_then(upstream, line));
    EXPECT_NE(found.find(std::string(": events.upstream.") + what), std::string::npos) << found;
  }
}

TEST_F(EventSettingsTest, AChangeNeedsARestart) {
  const Configuration before = load(rule).value();
  EXPECT_TRUE(needing_restart(before, load(and_then("\n", rule)).value()).empty());
  EXPECT_EQ(needing_restart(before, load(and_then(rule, "create = true")).value()),
            std::vector<std::string>{"events.rule and events.upstream"});
}

}  // namespace
}  // namespace doctor::server
