// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_serve.hpp"

#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <sys/stat.h>

#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "serve/http_server.hpp"
#include "serve/web_config.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kLookAtFilesNs = 5'000'000'000;

// When files were last written; a change is a reason to read them again.
std::vector<timespec> file_times(const std::vector<std::string>& files) {
  std::vector<timespec> times;
  for (const std::string& file : files) {
    struct stat info {};
    times.push_back(::stat(file.c_str(), &info) == 0 ? info.st_mtim : timespec{});
  }
  return times;
}

bool same_times(const std::vector<timespec>& a, const std::vector<timespec>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(timespec)) == 0);
}

// Keeps the server's security as the files say.
class WebSecurity {
 public:
  static Result<WebSecurity> read(const std::string& path) {
    WebSecurity made;
    made.path_ = path;
    if (!path.empty()) {
      PT_ASSIGN(made.config_, read_web_config(path));
      made.times_ = file_times(made.config_.files);
    }
    return made;
  }

  [[nodiscard]] const ServerSecurity& security() const { return config_.security; }

  // A bad file changes nothing: what was in force stays.
  void refresh(HttpServer& server, bool even_if_unchanged) {
    if (path_.empty()) {
      return;
    }
    const std::vector<timespec> now = file_times(config_.files);
    if (!even_if_unchanged && same_times(now, times_)) {
      return;
    }
    times_ = now;
    auto config = read_web_config(path_);
    Status applied;
    if (config) {
      applied = server.set_security(config->security);
    }
    if (!config || !applied) {
      log_error("{}; the settings of before stay in force",
                config ? applied.error().message : config.error().message);
      return;
    }
    config_ = std::move(*config);
    times_ = file_times(config_.files);
    log_info("read {} again", path_);
  }

 private:
  std::string path_;
  WebConfig config_;
  std::vector<timespec> times_;
};

Result<std::vector<Listener>> open_listeners(const std::vector<ListenAddress>& addresses) {
  std::vector<Listener> listeners;
  for (const ListenAddress& address : addresses) {
    PT_ASSIGN(Listener listener, open_listener(address));
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

// What the outputs tell about themselves goes on the agent's metrics page.
AgentConfig with_outputs(AgentConfig config, const AgentOutputs& outputs) {
  config.page.more.push_back(outputs.metrics());
  return config;
}

void reload(const ServeOptions& options,
            const AgentOutputs& outputs,
            Agent& agent,
            WebSecurity& security,
            HttpServer& server) {
  security.refresh(server, true);
  const auto again = options.reread();
  if (!again) {
    log_error("{}; the configuration of before stays in force", again.error().message);
    return;
  }
  agent.configure(with_outputs(again->agent, outputs));
  log_info(
      "read the configuration again; what it says about listening, sources and windows holds "
      "from the next start");
}

Status announce(const HttpServer& server) {
  for (const std::string& url : server.urls()) {
    PT_TRY(write_stdout("listening on " + url + "\n"));
  }
  return {};
}

// Before any thread begins, so that they go to the loop; a thread that took one would end us all
// without the last minute of history.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

Result<int> run_serve(const GlobalOptions& global, const ServeOptions& options) {
  // What can be wrong with the options first: it is told without any privilege.
  PT_ASSIGN(WebSecurity security, WebSecurity::read(options.web_config));
  PT_ASSIGN(std::vector<Listener> listeners, open_listeners(options.listen));
  block_signals();
  PT_ASSIGN(AgentOutputs outputs, AgentOutputs::open(options.outputs));
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.interval_ns));

  std::unique_ptr<HttpServer> server;
  Agent agent(global.pipeline.root, with_outputs(options.agent, outputs),
              [&server] { return server ? server->stats() : ServerStats{}; });
  Router router;
  agent.add_routes(router);
  outputs.add_routes(router);
  PT_ASSIGN(server, HttpServer::open(std::move(listeners), std::move(router), security.security()));
  PT_TRY(announce(*server));

  session.on_hangup([&] { reload(options, outputs, agent, security, *server); });
  PT_TRY(session.loop().add_timer(kLookAtFilesNs, [&] { security.refresh(*server, false); }));
  const auto code = session.run([&](const SnapshotPtr& snapshot) {
    agent.add(snapshot);
    outputs.add(snapshot);
  });
  server.reset();  // before what its handlers use
  if (code && session.signal() == SIGTERM) {
    return kExitOk;  // how a service is stopped
  }
  return code;
}

Result<int> describe_served_metrics() {
  PT_TRY(write_stdout(metrics_markdown(describe_metrics())));
  return kExitOk;
}

}  // namespace powertrace
