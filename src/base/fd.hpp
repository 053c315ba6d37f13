// SPDX-License-Identifier: Apache-2.0
//
// Owners of what the kernel hands out: file descriptors and mappings. Move-only, no implicit int.
#pragma once

#include <cstddef>
#include <sys/mman.h>
#include <utility>

#include <unistd.h>

namespace powertrace {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset(std::exchange(other.fd_, -1));
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

class UniqueMmap {
 public:
  UniqueMmap() = default;
  // Takes over a mapping made by mmap(); MAP_FAILED gives an empty owner.
  UniqueMmap(void* address, std::size_t length)
      : address_(address == MAP_FAILED ? nullptr : address), length_(length) {}
  UniqueMmap(const UniqueMmap&) = delete;
  UniqueMmap& operator=(const UniqueMmap&) = delete;
  UniqueMmap(UniqueMmap&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)),
        length_(std::exchange(other.length_, 0)) {}
  UniqueMmap& operator=(UniqueMmap&& other) noexcept {
    if (this != &other) {
      unmap();
      address_ = std::exchange(other.address_, nullptr);
      length_ = std::exchange(other.length_, 0);
    }
    return *this;
  }
  ~UniqueMmap() { unmap(); }

  [[nodiscard]] void* get() const { return address_; }
  [[nodiscard]] std::size_t length() const { return length_; }
  [[nodiscard]] bool valid() const { return address_ != nullptr; }

 private:
  void unmap() {
    if (address_ != nullptr) {
      ::munmap(address_, length_);
    }
  }
  void* address_ = nullptr;
  std::size_t length_ = 0;
};

}  // namespace powertrace
