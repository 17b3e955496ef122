#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "doctor/base/limits.hpp"
#include "doctor/base/result.hpp"

namespace doctor::query {

/// What one query may cost: `query_documents` and `answer_size`. Whoever works for the query notes
/// it here and stops as soon as `spent()`.
///
/// So that neither a few huge documents nor a query that asks thousands of things of each costs
/// more than many small documents would, the octets that are looked through count as well: as many
/// as `query_documents` documents of 4 KiB have.
class Budget {
 public:
  static constexpr std::uint64_t octets_of_a_document = 4096;

  explicit Budget(const Limits& limits)
      : documents_max_(std::min<std::uint64_t>(limits.query_documents, 1ull << 50)),
        octets_max_(documents_max_ * octets_of_a_document),
        answer_max_(limits.answer_size) {}

  void look() { ++documents_; }
  void read(std::size_t octets) { octets_ += octets; }
  /// Notes that so many names are looked for in a document with so many fields: each takes about as
  /// long as reading some octets does.
  void seek(std::size_t names, std::size_t fields) { octets_ += names * (fields + 64); }
  /// Whether the answer may become as long as this.
  bool may_hold(std::size_t answer) {
    if (answer <= answer_max_) return true;
    answer_passed_ = true;
    return false;
  }

  /// Whether one more result may be remembered for when the same is asked again: as many as there
  /// may be documents. Work that is not remembered is done and counted again.
  bool may_remember() { return remembered_++ < documents_max_; }

  bool spent() const {
    return documents_ > documents_max_ || octets_ > octets_max_ || answer_passed_;
  }
  /// Which budget was passed.
  Error error() const {
    if (answer_passed_) {
      return doctor::error(Errc::too_large, "the answer is longer than " +
                                                std::to_string(answer_max_) +
                                                " bytes (limit answer_size): select less of each "
                                                "document, or set a limit");
    }
    const std::string passed = documents_ > documents_max_ ? "" : "the contents of ";
    return invalid("the query looks at more than " + passed + std::to_string(documents_max_) +
                   " documents (limit query_documents): ask for less at a time");
  }

 private:
  std::uint64_t documents_max_;
  std::uint64_t octets_max_;
  std::size_t answer_max_;
  std::uint64_t documents_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t remembered_ = 0;
  bool answer_passed_ = false;
};

}  // namespace doctor::query
