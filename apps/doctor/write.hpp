#pragma once

#include <string>

#include "client.hpp"

namespace doctor::app {

/// Sends a write and prints what it did: a sentence, or with `--json` the server's answer.
int write_and_tell(Client& client, const HttpRequest& request);

/// The same with a body from the command line: JSON, `@FILE` or `-`.
int write_and_tell(Client& client, HttpRequest request, const std::string& body);

/// `--merge` and `--json-patch`, for the sub-commands that patch.
struct PatchKind {
  bool merge = false;
  bool json_patch = false;
  std::string content_type() const;
};
void add_patch_options(CLI::App& command, PatchKind& kind);

}  // namespace doctor::app
