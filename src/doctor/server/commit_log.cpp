#include "doctor/server/commit_log.hpp"

#include "doctor/base/log.hpp"
#include "doctor/server/shared.hpp"

namespace doctor::server {

document::ReadLog read_log_of(const Shared& shared) {
  return [&shared](document::Revision revision, std::uint64_t from,
                   std::size_t max_changes) -> std::optional<document::CommitPart> {
    auto part = shared.engine->snapshot()->log_part(revision, from, max_changes);
    if (!part) {
      if (part.error().code != Errc::not_found) log::error(part.error().detail);
      return std::nullopt;
    }
    std::erase_if(part->changes, [](const document::Change& change) {
      return change.collection == document::sessions_collection;
    });
    return std::move(*part);
  };
}

}  // namespace doctor::server
