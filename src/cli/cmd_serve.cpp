// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_serve.hpp"

#include <csignal>
#include <memory>
#include <optional>

#include <malloc.h>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "capping/status.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/web_security.hpp"
#include "serve/http_server.hpp"

namespace powertrace {
namespace {

constexpr int kPageMemory = 256 * 1024;
constexpr int kArenas = 2;

// What the outputs tell about themselves goes on the agent's metrics page.
AgentConfig with_outputs(AgentConfig config, const AgentOutputs& outputs) {
  config.page.more.push_back(outputs.metrics());
  return config;
}

// The agent with its outputs and its sockets.
class Service {
 public:
  static Result<std::unique_ptr<Service>> open(const GlobalOptions& global,
                                               const ServeOptions& options,
                                               WebSecurity security,
                                               AgentOutputs outputs,
                                               std::vector<Listener> listeners) {
    auto made = std::unique_ptr<Service>(
        new Service(global, options, std::move(security), std::move(outputs)));
    Router router;
    made->agent_.add_routes(router);
    made->outputs_.add_routes(router);
    PT_ASSIGN(made->server_, HttpServer::open(std::move(listeners), std::move(router),
                                              made->security_.security()));
    for (const std::string& url : made->server_->urls()) {
      PT_TRY(write_stdout("listening on " + url + "\n"));
    }
    return made;
  }

  void add(const SnapshotPtr& snapshot) {
    agent_.add(snapshot);
    outputs_.add(snapshot);
  }

  void look_at_files() { security_.refresh(*server_, false); }

  void reload() {
    security_.refresh(*server_, true);
    const auto again = options_.reread();
    if (!again) {
      log_error("{}; the configuration of before stays in force", again.error().message);
      return;
    }
    agent_.configure(with_outputs(again->agent, outputs_));
    log_info(
        "read the configuration again: schema, levels, filters and limits are in force; the rest "
        "(listening, sources, windows, names, history, prices, push) holds from the next start");
  }

 private:
  Service(const GlobalOptions& global,
          const ServeOptions& options,
          WebSecurity security,
          AgentOutputs outputs)
      : options_(options),
        security_(std::move(security)),
        outputs_(std::move(outputs)),
        agent_(global.pipeline.root, with_outputs(options.agent, outputs_), [this] {
          return server_ ? server_->stats() : ServerStats{};
        }) {}

  const ServeOptions& options_;
  WebSecurity security_;
  AgentOutputs outputs_;
  Agent agent_;
  std::unique_ptr<HttpServer> server_;  // last: its handlers use the others
};

// SIGTERM is how a service is stopped: no failure.
int exit_code_after(int signal) {
  return signal == SIGTERM ? kExitOk : kExitInterrupted;
}

// Without a pipeline: nothing here is measured, so nothing needs a privilege.
Result<int> run_demo(Service& service, EventLoop& loop, const ServeOptions& options) {
  Demo demo(*options.demo);
  std::uint64_t last_ns = monotonic_ns();
  int ended_by = 0;
  PT_TRY(loop.add_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) {
      service.reload();
      return;
    }
    ended_by = signal;
    loop.stop();
  }));
  PT_TRY(loop.add_timer(options.interval_ns, [&] {
    const std::uint64_t now_ns = monotonic_ns();
    service.add(demo.next(now_ns, now_ns - last_ns, realtime_ns()));
    last_ns = now_ns;
  }));
  PT_TRY(loop.add_timer(kLookAtFilesNs, [&] { service.look_at_files(); }));
  PT_TRY(loop.run());
  return exit_code_after(ended_by);
}

}  // namespace

Result<int> run_serve(const GlobalOptions& global, const ServeOptions& options) {
  // Pages are large and short-lived: give their memory back at once.
  ::mallopt(M_MMAP_THRESHOLD, kPageMemory);
  ::mallopt(M_ARENA_MAX, kArenas);
  // What can be wrong with the options first: it is told without any privilege.
  PT_ASSIGN(WebSecurity security, WebSecurity::read(options.web_config));
  PT_ASSIGN(std::vector<Listener> listeners, open_listeners(options.listen));
  block_signals();
  PT_ASSIGN(AgentOutputs outputs, AgentOutputs::open(options.outputs));
  if (options.demo) {
    PT_ASSIGN(EventLoop loop, EventLoop::create());
    PT_ASSIGN(const auto service, Service::open(global, options, std::move(security),
                                                std::move(outputs), std::move(listeners)));
    return run_demo(*service, loop, options);
  }
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.interval_ns));
  PT_ASSIGN(const auto service, Service::open(global, options, std::move(security),
                                              std::move(outputs), std::move(listeners)));
  session.on_hangup([&] { service->reload(); });
  PT_TRY(session.loop().add_timer(kLookAtFilesNs, [&] { service->look_at_files(); }));
  PT_TRY(session.run([&](const SnapshotPtr& snapshot) { service->add(snapshot); }));
  return exit_code_after(session.signal());
}

Result<int> describe_all_metrics() {
  std::vector<SchemaDescription> all = describe_metrics();
  const std::span<const MetricFamily> outputs = agent_output_families();
  all.push_back({"History and push",
                 "On the agent's page with `--history` or a `--push-…`.",
                 {outputs.begin(), outputs.end()}});
  SchemaDescription cap{"Power limits",
                        "On the page of `powertrace cap --listen`. Those of workloads take "
                        "`--profile`; what is unknown is absent.",
                        {}};
  for (const CapMetric& metric : cap_metric_families()) {
    const bool counter = metric.type == "counter";
    cap.families.push_back({metric.name, counter ? MetricType::kCounter : MetricType::kGauge,
                            metric.help, metric.labels});
  }
  all.push_back(std::move(cap));
  PT_TRY(write_stdout(metrics_markdown(all)));
  return kExitOk;
}

}  // namespace powertrace
