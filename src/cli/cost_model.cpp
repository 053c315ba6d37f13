// SPDX-License-Identifier: Apache-2.0
#include "cli/cost_model.hpp"

#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cost/market_curve.hpp"
#include "market/store.hpp"

namespace powertrace {
namespace {

constexpr std::string_view kMarket = "market";
constexpr std::uint64_t kReadAgainNs = 300'000'000'000;

// "market" or "market:DE-LU": the area, perhaps empty; nullopt: it says something else.
std::optional<std::string> market_area(const std::string& text) {
  if (text == kMarket) {
    return "";
  }
  if (text.rfind("market:", 0) == 0) {
    return text.substr(kMarket.size() + 1);
  }
  return std::nullopt;
}

Result<Series> find_series(const std::string& dir, Quantity quantity, const std::string& area) {
  const auto now_s = static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U);
  auto series = MarketStore(dir).find(quantity, area, "", now_s);
  if (!series) {
    return fail(ErrorCode::kNotFound,
                "{}: the market's store {} holds no {}{}: `powertrace market fetch` or `market "
                "import` fills it",
                quantity == Quantity::kPrice ? "--price" : "--carbon", dir, quantity_name(quantity),
                area.empty() ? "" : " of " + area);
  }
  return std::move(*series);
}

Result<CostModel> make(const CostModelOptions& options) {
  CostSettings rates = options.rates;
  const std::optional<std::string> price_area = market_area(rates.price);
  const std::optional<std::string> carbon_area = market_area(rates.carbon);
  rates.price = price_area ? "" : rates.price;
  rates.carbon = carbon_area ? "" : rates.carbon;
  PT_ASSIGN(CostModel model, make_cost_model(rates));
  if (price_area) {
    PT_ASSIGN(const Series series, find_series(options.market_dir, Quantity::kPrice, *price_area));
    PT_TRY(use_price(model, series));
  }
  if (carbon_area) {
    PT_ASSIGN(const Series series,
              find_series(options.market_dir, Quantity::kCarbon, *carbon_area));
    PT_TRY(use_intensity(model, series));
  }
  PT_TRY(check_cost_model(model));
  return model;
}

Result<CostModelOptions> with_environment(CostModelOptions options) {
  std::vector<std::string> warnings;
  const auto environment = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  };
  PT_TRY(fill_from_environment(options.rates, environment, warnings));
  for (const std::string& warning : warnings) {
    log_warn("{}", warning);
  }
  return options;
}

struct LiveModel {
  CostModelOptions options;
  std::mutex mutex;
  std::shared_ptr<const CostModel> model;
  std::uint64_t read_ns = 0;
};

}  // namespace

Status check_rates(const CostModelOptions& options) {
  CostSettings rates = options.rates;
  const bool market_price = market_area(rates.price).has_value();
  const bool market_carbon = market_area(rates.carbon).has_value();
  rates.price = market_price ? "" : rates.price;
  rates.carbon = market_carbon ? "" : rates.carbon;
  PT_ASSIGN(const CostModel model, make_cost_model(rates));
  return market_price || market_carbon ? Status() : check_cost_model(model);
}

Result<CostModel> open_cost_model(const CostModelOptions& options) {
  PT_ASSIGN(const CostModelOptions filled, with_environment(options));
  return make(filled);
}

Result<std::function<std::shared_ptr<const CostModel>()>> open_live_cost_model(
    const CostModelOptions& options) {
  const auto live = std::make_shared<LiveModel>();
  PT_ASSIGN(live->options, with_environment(options));
  PT_ASSIGN(CostModel model, make(live->options));
  live->model = std::make_shared<const CostModel>(std::move(model));
  live->read_ns = monotonic_ns();
  const bool changes =
      market_area(live->options.rates.price) || market_area(live->options.rates.carbon);
  return [live, changes] {
    const std::lock_guard lock(live->mutex);
    if (changes && monotonic_ns() - live->read_ns > kReadAgainNs) {
      live->read_ns = monotonic_ns();
      if (auto again = make(live->options)) {
        live->model = std::make_shared<const CostModel>(std::move(*again));
      } else {
        log_warn("{}; the prices of before stay in force", again.error().message);
      }
    }
    return live->model;
  };
}

}  // namespace powertrace
