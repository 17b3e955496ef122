#include "doctor/server/secret.hpp"

#include <fstream>
#include <iterator>

#include "doctor/base/text.hpp"

namespace doctor::server {

std::optional<std::string> fault_of_secret(std::string_view secret) {
  if (secret.empty()) return "is empty: give it a value, or leave it out to run unsecured";
  if (trimmed(secret) != secret) return "begins or ends with a blank, which no header can carry";
  for (const char c : secret) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 0x20 && octet != '\t') || octet == 0x7F) {
      return "holds a control character, which no header can carry";
    }
  }
  return std::nullopt;
}

Result<std::string> read_secret_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("secret file " + path + ": cannot be read");
  std::string secret((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!secret.empty() && secret.back() == '\n') secret.pop_back();
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  if (const auto fault = fault_of_secret(secret)) {
    return invalid("secret file " + path + ": the secret " + *fault);
  }
  return secret;
}

}  // namespace doctor::server
