#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/base/crypto.hpp"
#include "doctor/base/result.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/session.hpp"
#include "doctor/document/view.hpp"

namespace doctor::engine {

/// Decides who a peer is, for every transport. Any thread.
class Authority {
 public:
  /// @param secret  what connectors send; none: Doctor runs unsecured
  explicit Authority(std::optional<std::string> secret);

  bool secured() const { return secret_.has_value(); }
  /// Constant time, by digest. False when unsecured.
  bool is_secret(std::string_view presented) const;
  /// A session that is known at the view's revision and has not expired by `now`; else null.
  /// The answer of the last call for an id is kept as long as the session's revision is the same.
  std::shared_ptr<const document::Session> session(const document::View& view, std::string_view id,
                                                   Timestamp now) const;

 private:
  std::optional<Digest> secret_;
  // A bounded cache of parsed sessions, by id with the revision of their document.
  struct Cache;
  std::shared_ptr<Cache> cache_;
};

}  // namespace doctor::engine
