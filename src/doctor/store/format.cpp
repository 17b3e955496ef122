#include "doctor/store/format.hpp"

#include <algorithm>

namespace doctor::store {
namespace {

constexpr std::size_t state_size = 20;
constexpr std::size_t collection_size = 32;  // and the name

template <class Integer>
void append(std::string& out, Integer integer) {
  out += bytes_of(integer);
}

// Seven bits an octet, least significant first; the high bit says that more follow.
void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}
void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

}  // namespace

std::optional<IdKey> IdKey::make(document::CollectionNumber collection, std::string_view id) {
  if (id.size() > key_size_max - prefix_size) return std::nullopt;
  IdKey key;
  key.bytes_[0] = static_cast<char>(collection.value >> 16);
  key.bytes_[1] = static_cast<char>(collection.value >> 8);
  key.bytes_[2] = static_cast<char>(collection.value);
  std::copy(id.begin(), id.end(), key.bytes_.begin() + prefix_size);
  key.size_ = prefix_size + id.size();
  return key;
}

std::optional<IdKeyParts> split_id_key(std::string_view key) {
  if (key.size() <= IdKey::prefix_size) return std::nullopt;
  std::uint32_t collection = 0;
  for (const char c : key.substr(0, IdKey::prefix_size)) {
    collection = collection << 8 | static_cast<unsigned char>(c);
  }
  return IdKeyParts{document::CollectionNumber{collection}, key.substr(IdKey::prefix_size)};
}

std::string State::encode() const {
  std::string bytes;
  append(bytes, revision.value);
  append(bytes, log_bytes);
  append(bytes, next_collection);
  return bytes;
}

std::optional<State> State::decode(std::string_view bytes) {
  if (bytes.size() != state_size) return std::nullopt;
  State state;
  state.revision = document::Revision{load<std::uint64_t>(bytes)};
  state.log_bytes = load<std::uint64_t>(bytes.substr(8));
  state.next_collection = load<std::uint32_t>(bytes.substr(16));
  return state;
}

std::string CollectionRecord::encode() const {
  std::string encoded;
  append(encoded, next.value);
  append(encoded, count);
  append(encoded, bytes);
  append(encoded, revision.value);
  return encoded += name;
}

std::optional<CollectionRecord> CollectionRecord::decode(std::string_view encoded) {
  if (encoded.size() <= collection_size) return std::nullopt;
  CollectionRecord record;
  record.next = document::DocumentNumber{load<std::uint64_t>(encoded)};
  record.count = load<std::uint64_t>(encoded.substr(8));
  record.bytes = load<std::uint64_t>(encoded.substr(16));
  record.revision = document::Revision{load<std::uint64_t>(encoded.substr(24))};
  record.name = encoded.substr(collection_size);
  return record;
}

EntryWriter::EntryWriter(Timestamp time, std::size_t changes) {
  append(bytes_, time.value);
  append_number(bytes_, changes);
}

void EntryWriter::add(document::ChangeKind kind, document::CollectionNumber collection,
                      std::string_view id, std::span<const std::string> fields) {
  bytes_ += static_cast<char>(kind);
  append_number(bytes_, collection.value);
  append_text(bytes_, id);
  if (kind != document::ChangeKind::updated) return;
  append_number(bytes_, fields.size());
  for (const std::string& field : fields) append_text(bytes_, field);
}

EntryReader::EntryReader(std::string_view bytes) : bytes_(bytes), rest_(bytes) {
  if (bytes.size() < sizeof(std::int64_t)) {
    sound_ = false;
    return;
  }
  time_ = Timestamp{load<std::int64_t>(bytes)};
  rest_.remove_prefix(sizeof(std::int64_t));
  const auto size = number();
  // A change takes more than one byte: a damaged number must not cost memory.
  if (size && *size <= rest_.size()) {
    size_ = left_ = *size;
  } else {
    sound_ = false;
  }
}

void EntryReader::skip_to(std::uint64_t position) {
  rest_ = bytes_.substr(std::min<std::uint64_t>(position, bytes_.size()));
  left_ = rest_.size();  // a change takes more than one byte
}

std::optional<LoggedChange> EntryReader::next() {
  if (left_ == 0 || !sound_) return std::nullopt;
  LoggedChange change{};
  const auto kind = number();
  const auto collection = number();
  const auto id = text();
  if (!kind || *kind > static_cast<unsigned>(document::ChangeKind::removed) || !collection ||
      *collection > collection_number_max || !id) {
    sound_ = false;
    return std::nullopt;
  }
  change.kind = static_cast<document::ChangeKind>(*kind);
  change.collection = document::CollectionNumber{static_cast<std::uint32_t>(*collection)};
  change.id = *id;
  if (change.kind == document::ChangeKind::updated) {
    const auto fields = number();
    for (std::uint64_t i = 0; fields && i < *fields; ++i) {
      const auto field = text();
      if (!field) return std::nullopt;
      change.fields.push_back(*field);
    }
    if (!fields) return std::nullopt;
  }
  --left_;
  return change;
}

std::optional<std::uint64_t> EntryReader::number() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto octet = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    number |= std::uint64_t{octet & 0x7Fu} << shift;
    if (octet < 0x80) return number;
  }
  sound_ = false;
  return std::nullopt;
}

std::optional<std::string_view> EntryReader::text() {
  const auto size = number();
  if (!size || *size > rest_.size()) {
    sound_ = false;
    return std::nullopt;
  }
  const std::string_view text = rest_.substr(0, *size);
  rest_.remove_prefix(*size);
  return text;
}

}  // namespace doctor::store
