#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "doctor/stomp/frame.hpp"

namespace doctor::stomp {

/// Appends one header line. A header that cannot be said in the version is left out: its name is
/// never changed into another one, which a reader could take for one of ours.
void write_header(const Header& header, Version version, std::string& out);

/// Appends a frame, with LF as the end of line and without anything after its NUL. `content-length`
/// is written for the commands that may have a body, also for an empty one, and for no other; one
/// among `headers` is ignored.
void write_frame(Command command, std::span<const Header> headers, std::string_view body,
                 Version version, std::string& out);
void write_frame(Command command, std::initializer_list<Header> headers, std::string_view body,
                 Version version, std::string& out);

}  // namespace doctor::stomp
