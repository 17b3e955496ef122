#include "doctor/server/configuration.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "doctor/server/limit_settings.hpp"

namespace doctor::server {
namespace {

class Configuring : public testing::Test {
 protected:
  Configuring() : path_(testing::TempDir() + "doctor-" + std::to_string(getpid()) + ".toml") {}
  ~Configuring() override { std::filesystem::remove(path_); }

  void file(std::string_view content) {
    std::ofstream(path_) << content;
    flags_.config = path_;
  }
  Result<Configuration> load() {
    return load_configuration(flags_, [this](const char* name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
  }
  std::string mistake() {
    const auto loaded = load();
    return loaded ? "(no mistake)" : loaded.error().detail;
  }

  std::string path_;
  Flags flags_;
  std::map<std::string, std::string> environment_;
};

TEST_F(Configuring, DefaultsAreThoseOfTheManual) {
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->data_dir, "./data");
  EXPECT_EQ(loaded->api_port, 3000);
  EXPECT_EQ(loaded->mqtt_port, 1883);
  EXPECT_EQ(loaded->stomp_port, 61613);
  EXPECT_TRUE(loaded->clustered);
  EXPECT_FALSE(loaded->secret);
  EXPECT_EQ(loaded->listen, "localhost");
  EXPECT_TRUE(loaded->notes.empty());
}

TEST_F(Configuring, AFlagWinsOverTheEnvironmentWhichWinsOverTheFile) {
  file("api_port = 1\nmqtt_port = 2\ndata_dir = \"a\"\n");
  environment_ = {{"API_PORT", "11"}, {"MQTT_PORT", "12"}};
  flags_.api_port = 111;
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->api_port, 111);
  EXPECT_EQ(loaded->mqtt_port, 12);
  EXPECT_EQ(loaded->data_dir, "a");
}

TEST_F(Configuring, AMistakeIsToldWithFileLineAndWhatWasExpected) {
  file("clustered = true\n\n[limits]\nnesting = \"deep\"\n");
  EXPECT_EQ(mistake(), path_ +
                           ":4: limits.nesting: found 'deep', expected a whole number from 1 to "
                           "1000");
}

TEST_F(Configuring, AnUnknownNameIsAMistake) {
  file("[log]\nlevle = \"info\"\n");
  EXPECT_EQ(mistake(), path_ + ":2: log.levle: no such setting; expected one of level, format");
}

TEST_F(Configuring, WhatIsNotTomlIsToldWithItsLine) {
  file("api_port = 1\nlisten = \n");
  EXPECT_EQ(mistake().find(path_ + ":2: not TOML: "), 0u);
}

TEST_F(Configuring, AMissingFileIsAMistake) {
  flags_.config = path_;
  EXPECT_EQ(mistake(), path_ + ": the configuration file cannot be read");
}

TEST_F(Configuring, AnEmptySecretStopsTheStart) {
  environment_ = {{"SECRET", ""}};
  EXPECT_EQ(mistake(),
            "environment variable SECRET is empty: give it a value, or leave it out to run "
            "unsecured");
}

TEST_F(Configuring, TheSecretOfAFileLosesItsNewline) {
  std::ofstream(path_) << "s3cret\n";
  flags_.secret_file = path_;
  EXPECT_EQ(load()->secret, "s3cret");
}

TEST_F(Configuring, AWrongSecretIsNotShown) {
  file("secret = 12345678\n");
  EXPECT_EQ(mistake(), path_ + ":1: secret: expected a text in quotes");
}

TEST_F(Configuring, UnsecuredItListensOnLoopbackUnlessAllowed) {
  flags_.listen = "0.0.0.0";
  EXPECT_NE(mistake().find("allow_unsecured_remote"), std::string::npos);
  file("allow_unsecured_remote = true\n");
  EXPECT_TRUE(load());
}

TEST_F(Configuring, SecuredItListensEverywhereAndWarnsOfClearText) {
  environment_ = {{"SECRET", "s"}};
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->listen, "::");
  ASSERT_EQ(loaded->notes.size(), 1u);
  EXPECT_NE(loaded->notes[0].find("clear text"), std::string::npos);
}

TEST_F(Configuring, WhereAllIsTlsNothingTravelsInClearText) {
  environment_ = {{"SECRET", "s"},
                  {"API_PORT", "0"},
                  {"MQTT_PORT", "0"},
                  {"STOMP_PORT", "0"},
                  {"API_TLS_PORT", "3443"}};
  flags_.tls_cert = "c.pem";
  const auto loaded = load();
  ASSERT_TRUE(loaded) << mistake();
  EXPECT_TRUE(loaded->notes.empty());
  EXPECT_EQ(loaded->tls_listen, "::");
}

TEST_F(Configuring, PlainOnLoopbackAndTlsEverywhereAreOneServer) {
  file("listen = \"localhost\"\napi_tls_port = 3443\n[tls]\nlisten = \"::\"\ncert = \"c.pem\"\n");
  EXPECT_NE(mistake().find("listening on :: without a secret"), std::string::npos);
  environment_ = {{"SECRET", "s"}};
  ASSERT_TRUE(load()) << mistake();
  EXPECT_TRUE(load()->notes.empty());
}

TEST_F(Configuring, NoTwoPortsAreTheSame) {
  flags_.tls_cert = "c.pem";
  flags_.api_port = 4000;
  flags_.mqtt_tls_port = 4000;
  EXPECT_EQ(mistake(), "the API port and MQTT's TLS port are both 4000");
}

TEST_F(Configuring, WithoutAnyPortThereIsNothingToServe) {
  flags_.api_port = flags_.mqtt_port = flags_.stomp_port = 0;
  EXPECT_NE(mistake().find("nothing to serve"), std::string::npos);
}

TEST_F(Configuring, ATlsPortNeedsACertificate) {
  flags_.mqtt_tls_port = 8883;
  EXPECT_EQ(mistake().find("mqtt_tls_port is 8883, but there is no certificate"), 0u);
}

TEST_F(Configuring, AListenersOwnCertificateWinsOverTheSharedOne) {
  file(
      "api_tls_port = 3443\nmqtt_tls_port = 8883\n[tls]\ncert = \"file.pem\"\nkey = \"file.key\"\n"
      "[tls.mqtt]\ncert = \"mqtt.pem\"\nca = \"ca.pem\"\n");
  flags_.tls_cert = "flag.pem";
  const auto loaded = load();
  ASSERT_TRUE(loaded) << mistake();
  EXPECT_EQ(loaded->api_tls.settings,
            (TlsSettings{"flag.pem", "flag.pem", "", VerifyClient::none}));
  EXPECT_EQ(loaded->mqtt_tls.settings,
            (TlsSettings{"mqtt.pem", "mqtt.pem", "ca.pem", VerifyClient::optional}));
}

TEST_F(Configuring, WithoutTlsStompStaysOnLoopbackUnlessAllowed) {
  environment_ = {{"SECRET", "s"}};
  ASSERT_TRUE(load());
  EXPECT_EQ(load()->listen, "::");
  EXPECT_EQ(load()->stomp.listen, "localhost");
  const auto told = [this] { return load()->notes.back().find("STOMP") != std::string::npos; };
  EXPECT_FALSE(told()) << "nobody asked for it";
  environment_["STOMP_PORT"] = "61613";
  EXPECT_TRUE(told());
  file("[stomp]\nplain_remote = true\n");
  EXPECT_EQ(load()->stomp.listen, "::");
  EXPECT_TRUE(told());
}

TEST_F(Configuring, EventsHaveAtLeastOneDestination) {
  file("[events]\nevent_queue = []\n");
  EXPECT_EQ(mistake(),
            path_ + ":2: events.event_queue is empty; expected at least one destination");
}

TEST_F(Configuring, WhatTheFirstDoctorHadIsAcceptedWithANote) {
  environment_ = {{"MONGO_HOST", "db"}, {"CLUSTERED", "0"}};
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->clustered);
  EXPECT_EQ(loaded->notes.size(), 1u);
}

TEST_F(Configuring, EveryLimitIsASettingOfTheSameName) {
  std::ifstream header(DOCTOR_LIMITS_HEADER);
  std::vector<std::string> fields;
  const std::regex field("^  std::\\S+ ([a-z_]+)(\\{| = ).*");
  for (std::string line; std::getline(header, line);) {
    std::smatch match;
    if (std::regex_match(line, match, field)) fields.push_back(match[1]);
  }
  std::vector<std::string> settings;
  for (const LimitSetting& setting : limit_settings()) settings.emplace_back(setting.name);
  EXPECT_FALSE(fields.empty());
  EXPECT_EQ(fields, settings);
}

TEST_F(Configuring, TheExampleNamesEverySettingWithItsDefault) {
  flags_.config = DOCTOR_EXAMPLE_CONFIGURATION;
  const auto loaded = load();
  ASSERT_TRUE(loaded) << mistake();
  Configuration defaults;
  defaults.listen = defaults.tls_listen = "localhost";
  defaults.store_map_size = std::uint64_t{1} << 40;  // smaller in ThreadSanitizer's build alone
  EXPECT_TRUE(needing_restart(defaults, *loaded).empty());
  std::ifstream example(DOCTOR_EXAMPLE_CONFIGURATION);
  std::stringstream text;
  text << example.rdbuf();
  for (const LimitSetting& setting : limit_settings()) {
    EXPECT_NE(text.str().find("\n" + std::string(setting.name) + " = "), std::string::npos)
        << setting.name;
  }
}

TEST_F(Configuring, SizesAndDurationsMayHaveUnits) {
  EXPECT_EQ(parse_size("64 MiB"), 64u << 20);
  EXPECT_EQ(parse_size("10kB"), 10'000u);
  EXPECT_FALSE(parse_size("64 MB/s"));
  EXPECT_FALSE(parse_size("99999999999999 TiB"));
  EXPECT_EQ(parse_duration("10 s"), 10'000u);
  EXPECT_EQ(parse_duration("7 d"), 7u * 86'400'000);
  EXPECT_FALSE(parse_duration("10"));
}

TEST_F(Configuring, OnlyWhatNeedsARestartIsNamed) {
  Configuration before;
  Configuration after = before;
  after.log_level = log::Level::debug;
  after.cors_origins = {"*"};
  EXPECT_TRUE(needing_restart(before, after).empty());
  after.api_port = 1;
  after.limits.nesting = 5;
  EXPECT_EQ(needing_restart(before, after),
            (std::vector<std::string>{"api_port", "limits.nesting"}));
}

}  // namespace
}  // namespace doctor::server
