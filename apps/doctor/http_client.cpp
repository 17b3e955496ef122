#include "http_client.hpp"

#include <curl/curl.h>

#include "doctor/base/text.hpp"

namespace doctor::app {
namespace {

struct Transfer {
  HttpReply reply;
  const HttpClient::Sink* sink;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::string_view piece(data, size);
  if (*transfer.sink && transfer.reply.ok()) return (*transfer.sink)(piece) ? size : 0;
  transfer.reply.body.append(piece);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* user) {
  HttpReply& reply = static_cast<Transfer*>(user)->reply;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    // A status line begins an answer; what came before was of a 100 (Continue).
    reply.headers.clear();
    const std::size_t blank = line.find(' ');
    const auto status =
        blank == line.npos ? std::nullopt : parse_unsigned(line.substr(blank + 1, 3), 999);
    reply.status = static_cast<int>(status.value_or(0));
  } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    reply.headers.emplace_back(line.substr(0, colon), trimmed(value));
  }
  return size;
}

}  // namespace

struct HttpClient::Handle {
  CURL* easy = curl_easy_init();
  ~Handle() { curl_easy_cleanup(easy); }
};

std::string_view HttpReply::header(std::string_view name) const {
  for (const auto& [own, value] : headers)
    if (equal_ignoring_case(own, name)) return value;
  return {};
}

HttpClient::HttpClient(std::string server, TlsFiles tls,
                       std::vector<std::pair<std::string, std::string>> headers)
    : server_(std::move(server)),
      tls_(std::move(tls)),
      headers_(std::move(headers)),
      handle_(std::make_unique<Handle>()) {
  while (server_.ends_with('/')) server_.pop_back();
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Result<HttpReply> HttpClient::send(const HttpRequest& request, const Sink& sink) {
  CURL* easy = handle_->easy;
  curl_easy_reset(easy);  // keeps the connection
  Transfer transfer{{}, &sink};
  char reason[CURL_ERROR_SIZE] = "";

  curl_slist* lines = nullptr;
  const auto add = [&lines](const std::pair<std::string, std::string>& header) {
    lines = curl_slist_append(lines, (header.first + ": " + header.second).c_str());
  };
  for (const auto& header : headers_) add(header);
  for (const auto& header : request.headers) add(header);

  const std::string url = server_ + request.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "doctor/" DOCTOR_VERSION);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);

  const auto set_file = [easy](CURLoption option, const std::string& file) {
    if (!file.empty()) curl_easy_setopt(easy, option, file.c_str());
  };
  set_file(CURLOPT_CAINFO, tls_.ca);
  set_file(CURLOPT_SSLCERT, tls_.cert);
  set_file(CURLOPT_SSLKEY, tls_.key.empty() ? tls_.cert : tls_.key);

  const CURLcode code = curl_easy_perform(easy);
  curl_slist_free_all(lines);
  if (code == CURLE_OK) return std::move(transfer.reply);
  const std::string why = *reason ? reason : curl_easy_strerror(code);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return invalid(server_ + " is not the address of a server: " + why);
  return error(Errc::unavailable, "no answer from " + server_ + ": " + why);
}

}  // namespace doctor::app
