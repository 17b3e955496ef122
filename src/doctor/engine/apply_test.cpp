#include "doctor/engine/apply.hpp"

#include <gtest/gtest.h>

#include "doctor/base/crypto.hpp"
#include "doctor/document/names.hpp"
#include "doctor/store/test_store.hpp"

namespace doctor::engine {
namespace {

using document::Change;
using document::ChangeKind;
using document::Document;
using document::Revision;
using store::TestDirectory;

constexpr Timestamp noon{1'800'000'000'000};
constexpr std::string_view sessions = document::sessions_collection;

using Texts = std::vector<std::string>;

class ApplyTest : public testing::Test {
 protected:
  ApplyTest() : store_(store::Store::open({directory_.path(), 1u << 28, 0}).value()) {
    transaction_ = store_->begin().value();
  }
  ~ApplyTest() override {
    // Whatever a test did, the store agrees with itself.
    EXPECT_TRUE(transaction_->commit());
    transaction_ = nullptr;
    store_ = nullptr;
    EXPECT_EQ(store::faults_of(directory_.path()), store::no_faults);
  }

  static std::vector<Document> documents(std::string_view array,
                                         document::IdRule rule = document::IdRule::document) {
    return *document::parse_documents(array, rule, Limits{});
  }
  static Document document(std::string_view text) { return Document::of_checked(text); }

  Result<Outcome> run(std::string_view collection, decltype(Command::operation) operation) {
    Command command{std::string(collection), now_, std::move(operation)};
    return apply(*transaction_, command, limits_);
  }
  Outcome upsert(std::string_view array) { return *run("vm", Upsert{documents(array)}); }
  Outcome replace_all(std::string_view array) { return *run("vm", ReplaceAll{documents(array)}); }
  Result<Outcome> put(std::string_view text, Precondition precondition = {}) {
    return run("vm", Put{document(text), std::move(precondition)});
  }
  Result<Outcome> patch(std::string_view id, std::string_view text,
                        document::PatchKind kind = document::PatchKind::shallow,
                        Precondition precondition = {}) {
    return run("vm", Patch{std::string(id), *document::Patch::parse(kind, text, limits_),
                           std::move(precondition)});
  }
  struct Wish {
    std::string_view collection;
    std::string_view id;
    std::string_view patch;
    bool create = false;
  };
  Outcome merge(const std::vector<Wish>& wishes) {
    Merge merge;
    for (const Wish& wish : wishes) {
      merge.merges.push_back(
          {std::string(wish.collection), std::string(wish.id),
           *document::Patch::parse(document::PatchKind::shallow, wish.patch, limits_),
           wish.create});
    }
    return *run("", std::move(merge));
  }
  /// `2:404` for each that was refused.
  static Texts refusals(const Outcome& outcome) {
    Texts all;
    for (const Refusal& refusal : outcome.refused) {
      const Errc code = refusal.why.code;
      all.push_back(std::to_string(refusal.merge) + (code == Errc::not_found   ? ":404"
                                                     : code == Errc::invalid   ? ":400"
                                                     : code == Errc::too_large ? ":413"
                                                                               : ":?"));
    }
    return all;
  }
  Result<Outcome> remove(std::string_view id, Precondition precondition = {}) {
    return run("vm", Remove{std::string(id), std::move(precondition)});
  }

  Texts texts(std::string_view name = "vm") const {
    Texts all;
    const auto collection = transaction_->collection(name);
    if (!collection) return all;
    const auto walk = transaction_->walk(*collection);
    while (const auto entry = walk->next()) all.emplace_back(entry->document.text());
    return all;
  }
  /// `+a`, `*a:x,y` or `-a` for each change.
  static Texts summary(const std::vector<Change>& changes) {
    Texts all;
    for (const Change& change : changes) {
      std::string text = change.kind == ChangeKind::created   ? "+"
                         : change.kind == ChangeKind::removed ? "-"
                                                              : "*";
      text += change.id;
      for (std::size_t i = 0; i < change.fields.size(); ++i) {
        text += (i == 0 ? ":" : ",") + change.fields[i];
      }
      all.push_back(std::move(text));
    }
    return all;
  }
  std::uint64_t revision() const { return transaction_->revision().value; }
  std::uint64_t revision_of(std::string_view id) const {
    return transaction_->find(*transaction_->collection("vm"), id)->document.revision().value;
  }

  TestDirectory directory_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::WriteTransaction> transaction_;
  Limits limits_;
  Timestamp now_ = noon;
};

// POST.

TEST_F(ApplyTest, AnUpsertCreatesReplacesAndLeavesOthersAlone) {
  const Outcome first = upsert(R"([{"id":"a","x":1},{"id":"b","x":1},{"id":"c"}])");
  EXPECT_EQ(first.revision, Revision{1});
  EXPECT_EQ(summary(first.changes), (Texts{"+a", "+b", "+c"}));
  EXPECT_EQ(first.commit->changes.size(), 3u);
  EXPECT_EQ(first.commit->time, noon);

  const Outcome second = upsert(R"([{"id":"d"},{"id":"b","x":2},{"id":"a","x":1},{"id":"0"}])");
  EXPECT_EQ(second.revision, Revision{2});
  EXPECT_EQ(summary(second.changes), (Texts{"+d", "+0", "*b:x"}));
  EXPECT_EQ(second.unchanged, 1u);
  EXPECT_EQ(texts(), (Texts{R"({"id":"a","x":1})", R"({"id":"b","x":2})", R"({"id":"c"})",
                            R"({"id":"d"})", R"({"id":"0"})"}));
  EXPECT_EQ(revision_of("a"), 1u);
  EXPECT_EQ(revision_of("b"), 2u);
}

TEST_F(ApplyTest, AnUpsertOfOneTellsTheRevisionOfItsDocument) {
  EXPECT_EQ(upsert(R"([{"id":"a","x":1}])").document_revision, Revision{1});
  upsert(R"([{"id":"b"}])");
  EXPECT_EQ(upsert(R"([{"id":"a","x":1.0}])").document_revision, Revision{1});
  EXPECT_EQ(upsert(R"([{"id":"a","x":2}])").document_revision, Revision{3});
}

TEST_F(ApplyTest, AnUpsertFindsDocumentsInAnyOrder) {
  std::string body;
  for (int i = 0; i < 50; ++i)
    body += (i == 0 ? "[" : ",") + (R"({"id":)" + std::to_string(i) + "}");
  upsert(body + "]");
  for (const std::string_view order :
       {R"([{"id":1},{"id":2},{"id":4},{"id":3},{"id":5},{"id":6},{"id":49}])",
        R"([{"id":0},{"id":1},{"id":48},{"id":49},{"id":48000}])"}) {
    const Outcome outcome = upsert(order);
    EXPECT_LE(outcome.changes.size(), 1u);
    EXPECT_GE(outcome.unchanged, 4u);
  }
  EXPECT_EQ(texts().size(), 51u);
}

// What changes nothing.

TEST_F(ApplyTest, AWriteThatChangesNothingMakesNoCommit) {
  upsert(R"([{"id":"a","x":1,"y":"A","z":{"p":1,"q":2}}])");
  const Texts before = texts();
  // Other spelling and order of the same values.
  const std::string_view same = R"({"z":{"q":2.0,"p":10e-1},"y":"\u0041","x":1.0,"id":"a"})";
  for (const Outcome& outcome :
       {*put(same), upsert("[" + std::string(same) + "]"),
        replace_all("[" + std::string(same) + "]"), *patch("a", R"({"x":1e0,"none":null})"),
        *patch("a", "{}"), *run("host", Drop{}), *run("vm", Upsert{}),
        *run("host", ReplaceAll{})}) {
    EXPECT_EQ(outcome.commit, nullptr);
    EXPECT_TRUE(outcome.changes.empty());
    EXPECT_EQ(outcome.revision, Revision{1});
  }
  EXPECT_EQ(texts(), before);  // the stored text stays, and with it the ETag
  EXPECT_EQ(revision_of("a"), 1u);
  EXPECT_EQ(put(same)->document_revision, Revision{1});
  EXPECT_EQ(patch("a", "{}")->document_revision, Revision{1});
  EXPECT_EQ(transaction_->collection("host"), std::nullopt);
}

TEST_F(ApplyTest, AChangedDocumentIsStoredAsWrittenAndNamesOnlyWhatDiffers) {
  put(R"({"id":"a","x":1,"y":1})");
  const Outcome outcome = *put(R"({"id":"a","y":2,"x":1.0,"new":null})");
  EXPECT_EQ(summary(outcome.changes), Texts{"*a:y,new"});
  EXPECT_EQ(texts(), Texts{R"({"id":"a","y":2,"x":1.0,"new":null})"});
}

TEST_F(ApplyTest, DroppedFieldsAreNamedLast) {
  put(R"({"id":"a","one":1,"two":2,"three":3})");
  EXPECT_EQ(summary(put(R"({"three":4,"id":"a"})")->changes), Texts{"*a:three,one,two"});
}

// PUT of an array.

TEST_F(ApplyTest, AReplacementMakesTheCollectionExactlyThis) {
  EXPECT_TRUE(replace_all(R"([{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}])").was_empty);
  const Outcome outcome = replace_all(R"([{"id":"n"},{"id":"d","x":1},{"id":"b"},{"id":"m"}])");
  EXPECT_FALSE(outcome.was_empty);
  EXPECT_EQ(summary(outcome.changes), (Texts{"+n", "+m", "*d:x", "-a", "-c"}));
  EXPECT_EQ(outcome.unchanged, 1u);
  // Those that stay keep their places, the new ones come in the order of the body.
  EXPECT_EQ(texts(),
            (Texts{R"({"id":"b"})", R"({"id":"d","x":1})", R"({"id":"n"})", R"({"id":"m"})"}));
}

TEST_F(ApplyTest, UpdatesAreToldInTheOrderOfTheBodyAndRemovalsInCreationOrder) {
  replace_all(R"([{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"},{"id":"e"}])");
  const Outcome outcome = replace_all(R"([{"id":"e","x":1},{"id":"c","x":1},{"id":"b","x":1}])");
  EXPECT_EQ(summary(outcome.changes), (Texts{"*e:x", "*c:x", "*b:x", "-a", "-d"}));
}

TEST_F(ApplyTest, AnEmptyReplacementEmptiesTheCollection) {
  replace_all(R"([{"id":"a"},{"id":"b"}])");
  EXPECT_EQ(summary(replace_all("[]").changes), (Texts{"-a", "-b"}));
  EXPECT_TRUE(texts().empty());
  EXPECT_EQ(replace_all("[]").commit, nullptr);
}

TEST_F(ApplyTest, RemovedAndCreatedAgainIsNew) {
  replace_all(R"([{"id":"a"},{"id":"b"}])");
  remove("a");
  upsert(R"([{"id":"a"}])");
  EXPECT_EQ(texts(), (Texts{R"({"id":"b"})", R"({"id":"a"})"}));
}

// PUT and DELETE of one document, preconditions.

TEST_F(ApplyTest, APutCreatesOrReplaces) {
  EXPECT_EQ(summary(put(R"({"id":"a","x":1})")->changes), Texts{"+a"});
  EXPECT_EQ(summary(put(R"({"id":"a","x":2})")->changes), Texts{"*a:x"});
  EXPECT_EQ(put(R"({"id":"a","x":2})")->unchanged, 1u);
}

TEST_F(ApplyTest, WhatIsNotThereCannotBeRemovedNorPatched) {
  EXPECT_EQ(remove("a").error().code, Errc::not_found);
  EXPECT_EQ(patch("a", "{}").error().code, Errc::not_found);
  put(R"({"id":"b"})");
  EXPECT_EQ(remove("a").error().detail, R"(there is no document "a" in vm)");
  EXPECT_EQ(patch("a", "{}").error().code, Errc::not_found);
  EXPECT_EQ(revision(), 1u);
}

TEST_F(ApplyTest, ADocumentIsRemoved) {
  replace_all(R"([{"id":"a"},{"id":"b"}])");
  EXPECT_EQ(summary(remove("a")->changes), Texts{"-a"});
  EXPECT_EQ(texts(), Texts{R"({"id":"b"})"});
}

TEST_F(ApplyTest, ACollectionIsDroppedInCreationOrder) {
  replace_all(R"([{"id":"z"},{"id":"a"}])");
  EXPECT_EQ(summary(run("vm", Drop{})->changes), (Texts{"-z", "-a"}));
  EXPECT_TRUE(transaction_->collections().empty());
}

TEST_F(ApplyTest, IfMatchComparesTheDocumentsOwnRevision) {
  put(R"({"id":"a","x":1})");
  put(R"({"id":"b"})");
  const Precondition first{std::vector{Revision{1}}};
  const Precondition other{std::vector{Revision{2}, Revision{7}}};
  const Precondition any{std::vector<Revision>{}};
  EXPECT_EQ(put(R"({"id":"a","x":2})", other).error().code, Errc::precondition_failed);
  EXPECT_EQ(patch("a", "{}", document::PatchKind::shallow, other).error().code,
            Errc::precondition_failed);
  EXPECT_EQ(remove("a", other).error().code, Errc::precondition_failed);
  EXPECT_EQ(revision(), 2u);
  EXPECT_TRUE(put(R"({"id":"a","x":2})", first));
  EXPECT_EQ(put(R"({"id":"a","x":3})", first).error().code, Errc::precondition_failed);
  EXPECT_TRUE(put(R"({"id":"a","x":3})", any));
  EXPECT_TRUE(remove("a", any));
}

TEST_F(ApplyTest, APreconditionIsJudgedBeforeNotFound) {
  const Precondition any{std::vector<Revision>{}};
  EXPECT_EQ(remove("a", any).error().code, Errc::precondition_failed);
  EXPECT_EQ(patch("a", "{}", document::PatchKind::shallow, any).error().code,
            Errc::precondition_failed);
  EXPECT_EQ(put(R"({"id":"a"})", any).error().code, Errc::precondition_failed);
}

TEST_F(ApplyTest, IfNoneMatchAsksThatTheDocumentIsNew) {
  const Precondition is_new{std::nullopt, true};
  EXPECT_TRUE(put(R"({"id":"a"})", is_new));
  EXPECT_EQ(put(R"({"id":"a"})", is_new).error().code, Errc::precondition_failed);
}

// PATCH.

TEST_F(ApplyTest, APatchNamesFieldsInItsOwnOrder) {
  put(R"({"id":"a","one":1,"two":2,"three":3})");
  const Outcome outcome = *patch("a", R"({"three":33,"new":1,"one":null,"two":2})");
  EXPECT_EQ(summary(outcome.changes), Texts{"*a:three,new,one"});
  EXPECT_EQ(texts(), Texts{R"({"id":"a","two":2,"three":33,"new":1})"});
  EXPECT_EQ(outcome.document_revision, Revision{2});
}

TEST_F(ApplyTest, APatchThatDoesNotFitChangesNothing) {
  put(R"({"id":"a","x":1})");
  EXPECT_EQ(patch("a", R"([{"op":"test","path":"/x","value":2}])", document::PatchKind::json_patch)
                .error()
                .code,
            Errc::conflict);
  EXPECT_EQ(patch("a", R"({"id":"b"})").error().code, Errc::invalid);
  EXPECT_EQ(patch("a", R"({"_x":1})").error().code, Errc::invalid);
  EXPECT_EQ(revision(), 1u);
}

// Merges.

TEST_F(ApplyTest, ManyMergesMakeOneCommitOfAllTheirCollections) {
  put(R"({"id":"a","status":"up","memory":7})");
  run("host", Upsert{documents(R"([{"id":"h"}])")});
  const Outcome outcome = merge({{"vm", "a", R"({"status":"down","exit":0})"},
                                 {"host", "h", R"({"load":3})"},
                                 {"host", "i", R"({"load":4})", true},
                                 {"job", "j", R"({"done":true})", true},
                                 {"vm", "b", R"({"status":"up"})", true}});
  EXPECT_EQ(outcome.revision, Revision{3});
  EXPECT_EQ(summary(outcome.changes), (Texts{"+b", "+i", "+j", "*a:status,exit", "*h:load"}));
  EXPECT_EQ(outcome.commit->changes.size(), 5u);
  EXPECT_TRUE(outcome.refused.empty());
  EXPECT_EQ(texts(), (Texts{R"({"id":"a","status":"down","memory":7,"exit":0})",
                            R"({"id":"b","status":"up"})"}));
  EXPECT_EQ(texts("host"), (Texts{R"({"id":"h","load":3})", R"({"id":"i","load":4})"}));
  EXPECT_EQ(texts("job"), Texts{R"({"id":"j","done":true})"});
  EXPECT_EQ(revision_of("a"), 3u);
}

TEST_F(ApplyTest, AMergeIsAppliedToWhatTheOnesBeforeItLeft) {
  put(R"({"id":"a","x":1,"y":1})");
  const Outcome outcome = merge({{"vm", "a", R"({"x":2,"z":1})"},
                                 {"vm", "n", R"({"x":1})", true},
                                 {"vm", "a", R"({"y":null,"z":2})"},
                                 {"vm", "n", R"({"x":null,"y":2})"}});
  EXPECT_EQ(summary(outcome.changes), (Texts{"+n", "*a:x,z,y"}));
  EXPECT_EQ(texts(), (Texts{R"({"id":"a","x":2,"z":2})", R"({"id":"n","y":2})"}));
}

TEST_F(ApplyTest, MergesThatUndoEachOtherMakeNoCommit) {
  put(R"({"id":"a","x":1})");
  const Outcome outcome = merge(
      {{"vm", "a", R"({"x":2})"}, {"vm", "a", R"({"x":1.0})"}, {"vm", "a", R"({"none":null})"}});
  EXPECT_EQ(outcome.commit, nullptr);
  EXPECT_EQ(outcome.unchanged, 1u);
  EXPECT_EQ(texts(), Texts{R"({"id":"a","x":1})"});
  EXPECT_EQ(merge({}).commit, nullptr);
}

TEST_F(ApplyTest, AMergeThatIsRefusedStopsNoOther) {
  limits_.document_size = 200;
  put(R"({"id":"a"})");
  const std::string large = R"({"x":")" + std::string(200, 'x') + R"("})";
  const Outcome outcome = merge({{"vm", "none", R"({"x":1})"},
                                 {"vm", "a", R"({"id":"b"})"},
                                 {"vm", "a", large},
                                 {"vm", "a", R"({"x":1})"},
                                 {"vm", "a", R"({"$x":1})"},
                                 {"vm", "", R"({"x":1})", true},
                                 {"vm", "n", R"({"_x":1})", true},
                                 {"none", "a", R"({"x":1})"},
                                 {"vm", "n", R"({"x":1})", true}});
  EXPECT_EQ(refusals(outcome),
            (Texts{"0:404", "1:400", "2:413", "4:400", "5:400", "6:400", "7:404"}));
  EXPECT_EQ(outcome.refused.front().why.detail, R"(there is no document "none" in vm)");
  EXPECT_EQ(summary(outcome.changes), (Texts{"+n", "*a:x"}));
  EXPECT_EQ(transaction_->collection("none"), std::nullopt);
}

TEST_F(ApplyTest, AMergeIntoOneCollectionTooManyIsRefusedAndOthersAreNot) {
  limits_.collections = 1;
  put(R"({"id":"a"})");
  const Outcome outcome = merge(
      {{"host", "h", R"({"x":1})", true}, {"vm", "a", R"({"x":1})"}, {"host", "i", R"({"x":1})"}});
  EXPECT_EQ(refusals(outcome), (Texts{"2:404", "0:400"}));
  EXPECT_EQ(summary(outcome.changes), Texts{"*a:x"});
  EXPECT_EQ(merge({{"host", "h", "{}", true}}).commit, nullptr);
}

// Limits.

TEST_F(ApplyTest, OneCollectionTooManyIsAnErrorOfTheCommand) {
  limits_.collections = 1;
  upsert(R"([{"id":"a"}])");
  const auto failed = run("host", Upsert{documents(R"([{"id":"a"}])")});
  ASSERT_FALSE(failed);
  EXPECT_TRUE(is_of_command(failed.error()));
  upsert(R"([{"id":"b"}])");
  EXPECT_EQ(revision(), 2u);
}

// Sessions.

class SessionsTest : public ApplyTest {
 protected:
  Result<Outcome> put_session(std::string_view text) {
    return run(sessions, Put{document(text), {}});
  }
};

TEST_F(SessionsTest, AreOutOfSightButInTheRevisionOrder) {
  put(R"({"id":"a"})");
  const Outcome outcome = *put_session(R"({"id":"s","permissions":{"vm":["a"]}})");
  EXPECT_EQ(outcome.revision, Revision{2});
  EXPECT_EQ(outcome.changes.front().collection, sessions);
  EXPECT_TRUE(outcome.commit->changes.empty());
  ASSERT_EQ(outcome.commit->sessions.size(), 1u);
  EXPECT_EQ(outcome.commit->sessions.front().id, "s");
  EXPECT_TRUE(outcome.commit->sessions.front().session->permissions.may_read("vm", "a"));
  EXPECT_FALSE(outcome.commit->sessions.front().session->permissions.may_read("vm", "b"));
  EXPECT_EQ(transaction_->collections().size(), 1u);
}

TEST_F(SessionsTest, TellWhatBecameOfEach) {
  run(sessions,
      ReplaceAll{documents(R"([{"id":"a"},{"id":"b"},{"id":"c"}])", document::IdRule::session)});
  const Outcome outcome =
      *run(sessions, ReplaceAll{documents(R"([{"id":"d"},{"id":"c","permissions":"*"},{"id":"a"}])",
                                          document::IdRule::session)});
  const auto& changed = outcome.commit->sessions;
  ASSERT_EQ(changed.size(), 3u);
  EXPECT_EQ(changed[0].id, "d");
  EXPECT_EQ(changed[1].id, "c");
  EXPECT_TRUE(changed[1].session->permissions.reads_everything());
  EXPECT_EQ(changed[2].id, "b");
  EXPECT_EQ(changed[2].session, nullptr);
}

TEST_F(SessionsTest, AreCheckedBeforeAnythingIsWritten) {
  const auto refused = [&](std::string_view text, std::string_view field) {
    const auto failed = put_session(text);
    ASSERT_FALSE(failed) << text;
    EXPECT_EQ(failed.error().code, Errc::invalid);
    EXPECT_EQ(failed.error().field, field);
    EXPECT_EQ(failed.error().id, fingerprint("secret"));
    EXPECT_EQ(failed.error().detail.find("secret"), std::string::npos);
  };
  refused(R"({"id":"secret","permissions":7})", "permissions");
  refused(R"({"id":"secret","expires":"tomorrow"})", "expires");
  refused(R"({"id":"secret","expires":")" + document::to_rfc3339(noon) + R"("})", "expires");
  const auto bulk =
      run(sessions, Upsert{documents(R"([{"id":"good"},{"id":"secret","permissions":7}])",
                                     document::IdRule::session)});
  EXPECT_FALSE(bulk);
  EXPECT_EQ(revision(), 0u);
  put_session(R"({"id":"secret"})");
  EXPECT_FALSE(run(sessions, Patch{"secret",
                                   *document::Patch::parse(document::PatchKind::shallow,
                                                           R"({"permissions":[]})", limits_),
                                   {}}));
  EXPECT_EQ(run(sessions, Remove{"other", {}}).error().detail, "there is no such session");
}

TEST_F(SessionsTest, ThatHaveExpiredAreRemovedAndOthersAreNot) {
  const auto at = [](std::int64_t seconds) {
    return R"(","expires":")" + document::to_rfc3339(Timestamp{noon.value + seconds * 1000}) +
           R"("})";
  };
  put_session(R"({"id":"late)" + at(30));
  put_session(R"({"id":"soon)" + at(10));
  put_session(R"({"id":"never"})");
  now_ = Timestamp{noon.value + 10'000};
  const Outcome outcome = *run(sessions, ExpireSessions{{"soon", "none", "never", "late"}});
  EXPECT_EQ(summary(outcome.changes), Texts{"-soon"});
  EXPECT_EQ(outcome.commit->sessions.front().session, nullptr);
  EXPECT_EQ(run(sessions, ExpireSessions{{"late"}})->commit, nullptr);
  now_ = Timestamp{noon.value + 30'000};
  // From then on it is unknown, though its removal may come later.
  EXPECT_EQ(run(sessions, Remove{"late", {}}).error().code, Errc::not_found);
}

// The log.

TEST_F(ApplyTest, EveryCommitIsLoggedAndOldOnesAreLetGo) {
  limits_.log_retention = std::chrono::seconds(60);
  for (int i = 0; i < 20; ++i) put(R"({"id":"a","n":)" + std::to_string(i) + "}");
  now_ = Timestamp{noon.value + 61'000};
  put(R"({"id":"a","n":-1})");
  ASSERT_TRUE(transaction_->commit());
  EXPECT_EQ(store_->snapshot()->log(Revision{0}, 1).error().code, Errc::not_found);
  EXPECT_TRUE(store_->snapshot()->log(Revision{12}, 1));  // a few at a time
  transaction_ = store_->begin().value();
  put(R"({"id":"a","n":-2})");
  put(R"({"id":"a","n":-3})");
  ASSERT_TRUE(transaction_->commit());
  EXPECT_EQ(store_->snapshot()->log(Revision{19}, 1).error().code, Errc::not_found);
  EXPECT_EQ(store_->snapshot()->log(Revision{20}, 10'000)->size(), 3u);
  transaction_ = store_->begin().value();
  put(R"({"id":"b"})");
}

TEST_F(ApplyTest, TheSameCommandsMakeTheSameContents) {
  TestDirectory other_directory;
  auto other = store::Store::open({other_directory.path(), 1u << 28, 0}).value();
  auto other_transaction = other->begin().value();
  std::vector<Command> commands = {
      {"vm", noon, ReplaceAll{documents(R"([{"id":"a","x":1},{"id":"b"},{"id":"c"}])")}},
      {"vm", noon, Upsert{documents(R"([{"id":"d"},{"id":"a","x":2}])")}},
      {"vm", noon, Remove{"b", {}}},
      {"vm", noon, Remove{"b", {}}},
      {"vm", noon, ReplaceAll{documents(R"([{"id":"d","y":1},{"id":"a","x":2},{"id":"e"}])")}},
  };
  for (Command& command : commands) {
    // A command can be applied again, and gives each transaction its own revisions.
    const auto once = apply(*transaction_, command, limits_);
    const auto twice = apply(*other_transaction, command, limits_);
    ASSERT_EQ(once.has_value(), twice.has_value());
    if (!once) continue;
    EXPECT_EQ(once->revision, twice->revision);
    EXPECT_EQ(summary(once->changes), summary(twice->changes));
  }
  ASSERT_TRUE(transaction_->commit());
  ASSERT_TRUE(other_transaction->commit());
  const auto a = store_->snapshot();
  const auto b = other->snapshot();
  const auto walk_a = a->walk(*a->collection("vm"));
  const auto walk_b = b->walk(*b->collection("vm"));
  while (const auto entry = walk_a->next()) {
    const auto twin = walk_b->next();
    ASSERT_TRUE(twin);
    EXPECT_EQ(entry->document.stored(), twin->document.stored());
    EXPECT_EQ(entry->number, twin->number);
  }
  EXPECT_FALSE(walk_b->next());
  transaction_ = store_->begin().value();
}

}  // namespace
}  // namespace doctor::engine
