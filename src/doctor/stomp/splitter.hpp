#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/stomp/command.hpp"
#include "doctor/stomp/frame_limits.hpp"
#include "doctor/stomp/refusal.hpp"
#include "doctor/stomp/version.hpp"

namespace doctor::stomp {

/// One frame whose headers have not been decoded: that needs the session's version, which may be
/// agreed on later.
struct RawFrame {
  Command command{};
  std::string_view header_lines;  ///< each with its end of line, each with a colon after a name
  std::string_view body;
};

/// Cuts a stream of octets into frames. A frame that comes whole is not copied; of one that comes
/// in pieces, what has come is kept, never more, and nothing is reserved for what is announced.
/// Ends of lines may be LF or CRLF in every version; those between frames are skipped: they are
/// heart-beats or padding.
class Splitter {
 public:
  explicit Splitter(const FrameLimits& limits) : limits_(limits) {}

  /// For the frames that follow.
  void set_limits(const FrameLimits& limits) { limits_ = limits; }
  /// In 1.0, and before a version is agreed on, blanks before the number in `content-length` are
  /// no part of it.
  void set_version(Version version) { version_ = version; }

  /// Takes from the front of `input` and gives the next frame, or nothing once all is taken. The
  /// frame lives until the next call, and as long as what `input` views. Refuses at the first octet
  /// that shows it, however the stream is cut: an unknown command, a line without colon, NUL among
  /// the headers, a body where none may be, a content-length that is no number or is not followed
  /// by NUL, anything over a limit. After a refusal the stream is lost.
  Decoded<std::optional<RawFrame>> next(std::string_view& input);
  /// What is kept of a frame that has come in part.
  std::size_t held() const { return given_ ? 0 : partial_.size(); }

 private:
  // How far a frame is understood; all are offsets from its first octet.
  struct Progress {
    std::optional<Command> command;
    std::size_t line = 0;     // where the line that is being read begins
    std::size_t scanned = 0;  // up to here neither LF nor NUL is in what is being read
    std::size_t headers = 0;
    std::size_t headers_begin = 0;
    std::size_t headers_end = 0;
    std::size_t body = 0;  // where it begins; 0: the headers have not ended
    std::optional<std::size_t> content_length;
    std::size_t size = 0;  // of the whole frame, once known
  };

  Decoded<void> advance(std::string_view frame);
  Decoded<bool> advance_line(std::string_view frame);
  Decoded<void> take_header(std::string_view line);
  Decoded<void> advance_body(std::string_view frame);
  Decoded<void> check_body_announced() const;
  std::size_t wanted(std::string_view input) const;
  RawFrame frame_of(std::string_view frame) const;

  FrameLimits limits_;
  Version version_ = Version::v1_0;
  Progress progress_;
  std::string partial_;  // the beginning of a frame that came in pieces
  bool given_ = false;   // partial_ was given as a whole frame by the last call
};

}  // namespace doctor::stomp
