#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/store/store.hpp"
#include "doctor/store/test_store.hpp"

/// For tests: commits in one line.
namespace doctor::store {

inline constexpr Timestamp noon{1'000'000};

/// Creates or, where they are there, replaces documents as one revision of the transaction.
inline Result<void> put(WriteTransaction& transaction, std::string_view name,
                        const std::vector<std::string>& texts) {
  const document::Revision revision{transaction.revision().value + 1};
  const auto collection = transaction.make_collection(name, Limits{});
  if (!collection) return collection.error();
  std::vector<document::Change> changes;
  for (const std::string& text : texts) {
    const auto document = document_of(text, revision.value);
    const auto known = transaction.find(*collection, document.id());
    auto done = known ? transaction.replace(*collection, known->number, document.view())
                      : transaction.create(*collection, document.view());
    if (!done) return done;
    changes.push_back({known ? document::ChangeKind::updated : document::ChangeKind::created,
                       std::string(name),
                       document.id(),
                       {}});
  }
  return transaction.append(revision, noon, changes);
}

/// One commit of these documents.
inline Result<void> put(Store& store, std::string_view name,
                        const std::vector<std::string>& texts) {
  auto transaction = store.begin();
  if (!transaction) return transaction.error();
  if (auto done = put(**transaction, name, texts); !done) return done;
  return (*transaction)->commit();
}

/// One commit that removes a document.
inline Result<void> remove(Store& store, std::string_view name, std::string_view id,
                           bool use_reserve = false) {
  auto begun = store.begin();
  if (!begun) return begun.error();
  WriteTransaction& transaction = **begun;
  if (use_reserve) transaction.use_reserve();
  const auto collection = transaction.collection(name);
  const auto known = transaction.find(*collection, id);
  if (!known) return error(Errc::not_found, std::string(id));
  if (auto done = transaction.remove(*collection, known->number); !done) return done;
  const document::Change change{
      document::ChangeKind::removed, std::string(name), std::string(id), {}};
  const document::Revision revision{transaction.revision().value + 1};
  if (auto done = transaction.append(revision, noon, {&change, 1}); !done) return done;
  return transaction.commit();
}

inline std::vector<std::string> texts(const document::View& view, std::string_view name) {
  std::vector<std::string> all;
  const auto collection = view.collection(name);
  if (!collection) return all;
  const auto walk = view.walk(*collection);
  while (const auto entry = walk->next()) all.emplace_back(entry->document.text());
  return all;
}
using Texts = std::vector<std::string>;

}  // namespace doctor::store
