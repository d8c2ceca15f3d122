#include "frame_segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace f1_gazebo {
namespace {

constexpr char kMagic[] = "PITFRM1";  // with its NUL as long as the header's field
/// A node copies a frame in a tenth of a millisecond; until then so many more may be rendered.
constexpr std::uint32_t kSlots = 4;
constexpr std::size_t kPageBytes = 4096;

std::size_t SlotBytes(std::size_t frame_bytes) {
  return (kSlotHeaderBytes + frame_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

int Checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// A listening socket whose name the kernel chooses: no two are the same on this machine.
int Listen() {
  const int listener = Checked(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket");
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  Checked(bind(listener, reinterpret_cast<sockaddr*>(&unnamed), sizeof unnamed.sun_family), "bind");
  Checked(listen(listener, 8), "listen");
  return listener;
}

std::string NameOf(int listener) {
  sockaddr_un bound{};
  socklen_t length = sizeof bound;
  Checked(getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &length), "getsockname");
  const std::size_t before = offsetof(sockaddr_un, sun_path) + 1;  // the NUL of abstract names
  return {bound.sun_path + 1, length - before};
}

bool IsOurUser(int node) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return getsockopt(node, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == getuid();
}

/// A byte; a node that does not read has others waiting, and needs no more of them.
bool Sign(int node) {
  const char byte = 0;
  return send(node, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN;
}

bool SendFile(int node, int file) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(header), &file, sizeof file);
  return sendmsg(node, &message, MSG_NOSIGNAL) == 1;
}

}  // namespace

FrameSegment::FrameSegment(const Layout& layout)
    : size_(kSegmentHeaderBytes + kSlots * SlotBytes(layout.frame_bytes)) {
  memory_file_ =
      Checked(memfd_create("camera frames", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
  Checked(ftruncate(memory_file_, static_cast<off_t>(size_)), "ftruncate");
  // Nobody can cut it under who reads it.
  Checked(fcntl(memory_file_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), "seals");
  void* const mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file_, 0);
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  memory_ = static_cast<unsigned char*>(mapped);

  auto& header = *new (memory_) SegmentHeader{};
  std::memcpy(header.magic, kMagic, sizeof header.magic);
  header.width = layout.width;
  header.height = layout.height;
  header.frame_bytes = layout.frame_bytes;
  header.slots = kSlots;
  header.slot_bytes = static_cast<std::uint32_t>(SlotBytes(layout.frame_bytes));
  layout.encoding.copy(header.encoding, sizeof header.encoding - 1);
  layout.frame_id.copy(header.frame_id, sizeof header.frame_id - 1);

  listener_ = Listen();
  address_ = NameOf(listener_);
  accepting_ = std::thread([this] { Accept(); });
}

FrameSegment::~FrameSegment() {
  shutdown(listener_, SHUT_RDWR);  // lets the thread go
  accepting_.join();
  close(listener_);
  for (const int node : nodes_) close(node);
  munmap(memory_, size_);
  close(memory_file_);
}

void FrameSegment::Write(const unsigned char* pixels, std::uint32_t stamp_s,
                         std::uint32_t stamp_ns) {
  auto& header = Header();
  const std::uint64_t number = header.newest.load(std::memory_order_relaxed) + 1;
  unsigned char* const place = Slot(number);
  auto& slot = *reinterpret_cast<SlotHeader*>(place);
  slot.number.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // no pixel is seen before that
  slot.stamp_s = stamp_s;
  slot.stamp_ns = stamp_ns;
  std::memcpy(place + kSlotHeaderBytes, pixels, header.frame_bytes);
  slot.number.store(number, std::memory_order_release);
  header.newest.store(number, std::memory_order_release);

  const std::lock_guard lock(mutex_);
  const auto gone = [](int node) {
    if (Sign(node)) return false;
    close(node);
    return true;
  };
  nodes_.erase(std::remove_if(nodes_.begin(), nodes_.end(), gone), nodes_.end());
}

FrameSegment::Frame FrameSegment::Newest() const {
  const std::uint64_t number = Header().newest.load();
  if (number == 0) return {};
  unsigned char* const place = Slot(number);
  const auto& slot = *reinterpret_cast<SlotHeader*>(place);
  return {place + kSlotHeaderBytes, slot.stamp_s, slot.stamp_ns};
}

unsigned char* FrameSegment::Slot(std::uint64_t number) const {
  return memory_ + kSegmentHeaderBytes + number % Header().slots * Header().slot_bytes;
}

void FrameSegment::Accept() {
  while (true) {
    const int node = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (node >= 0) {
      Welcome(node);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;  // shut down
    }
  }
}

void FrameSegment::Welcome(int node) {
  if (!IsOurUser(node) || !SendFile(node, memory_file_)) {
    close(node);
    return;
  }
  const std::lock_guard lock(mutex_);
  // In lockstep the world is held until somebody answers the frame: who comes only after it was
  // rendered must hear of it too.
  if (Header().newest.load() > 0 && !Sign(node)) {
    close(node);
    return;
  }
  nodes_.push_back(node);
}

}  // namespace f1_gazebo
