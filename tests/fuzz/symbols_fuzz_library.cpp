// SPDX-License-Identifier: Apache-2.0
//
// What symbols_fuzz damages: functions with names, and some that are inlined.

namespace {

int power(int base, int exponent) {
  int result = 1;
  for (; exponent > 0; --exponent) {
    result *= base;
  }
  return result;
}

inline int inlined(int value) {
  return power(value, 3) + 1;
}

}  // namespace

namespace library {

int first(int value) {
  return inlined(value) * 2;
}

template <typename T>
T second(T value) {
  return first(static_cast<int>(value)) + value;
}

template long second<long>(long);

}  // namespace library
