// An entry of the commit log: what is read and sound is written again as it was.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/store/format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace doctor::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<LoggedChange> changes;
  EntryReader reader(bytes);
  while (auto change = reader.next()) changes.push_back(std::move(*change));
  if (!reader.sound()) return 0;
  if (changes.size() != reader.size()) std::abort();

  EntryWriter writer(reader.time(), changes.size());
  for (const LoggedChange& change : changes) {
    const std::vector<std::string> fields(change.fields.begin(), change.fields.end());
    writer.add(change.kind, change.collection, change.id, fields);
  }
  // Only a number that was written with more octets than it needs reads the same.
  if (writer.bytes().size() > bytes.size()) std::abort();
  EntryReader again(writer.bytes());
  for (const LoggedChange& change : changes) {
    const auto same = again.next();
    if (!same || same->id != change.id || same->fields != change.fields) std::abort();
  }
  if (!again.sound()) std::abort();
  return 0;
}
