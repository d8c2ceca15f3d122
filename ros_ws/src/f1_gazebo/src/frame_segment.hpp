// A camera's frames in shared memory, for nodes on this machine. Knows nothing of ROS or Gazebo.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace f1_gazebo {

/// Where the segment's parts lie; harness/run/frame_segment.py reads the same, little-endian.
struct SegmentHeader {
  char magic[8];
  std::uint32_t width, height;
  std::uint32_t frame_bytes;
  std::uint32_t slots;
  std::uint32_t slot_bytes;  ///< From one slot to the next, the first after kSegmentHeaderBytes.
  std::uint32_t reserved;
  char encoding[16];
  char frame_id[32];
  std::atomic<std::uint64_t> newest;  ///< Number of the newest whole frame, counted from 1.
};

/// The frame of number n is in slot n % slots.
struct SlotHeader {
  std::atomic<std::uint64_t> number;  ///< 0 while the slot is written.
  std::uint32_t stamp_s, stamp_ns;
};

constexpr std::size_t kSegmentHeaderBytes = 4096;
constexpr std::size_t kSlotHeaderBytes = 64;

/// Anonymous memory and a socket without a file: both end with the processes that hold them,
/// however these end. A node connects, gets the memory, then a byte for every frame.
class FrameSegment {
 public:
  struct Layout {
    std::uint32_t width, height;
    std::uint32_t frame_bytes;
    std::string encoding, frame_id;
  };

  struct Frame {
    const unsigned char* pixels = nullptr;  ///< Null before the first frame.
    std::uint32_t stamp_s = 0, stamp_ns = 0;
  };

  /// Throws std::system_error where the kernel refuses memory or socket.
  explicit FrameSegment(const Layout& layout);
  ~FrameSegment();
  FrameSegment(const FrameSegment&) = delete;
  FrameSegment& operator=(const FrameSegment&) = delete;

  /// Name of the socket in Linux' abstract namespace, which the kernel chose.
  const std::string& Address() const { return address_; }

  /// Adds a frame and tells the nodes. One thread at a time.
  void Write(const unsigned char* pixels, std::uint32_t stamp_s, std::uint32_t stamp_ns);

  /// The frame written last; not to be called beside Write.
  Frame Newest() const;

 private:
  SegmentHeader& Header() const { return *reinterpret_cast<SegmentHeader*>(memory_); }
  unsigned char* Slot(std::uint64_t number) const;
  void Accept();
  void Welcome(int node);

  const std::size_t size_;
  int memory_file_ = -1;
  unsigned char* memory_ = nullptr;
  int listener_ = -1;
  std::string address_;
  std::mutex mutex_;
  std::vector<int> nodes_;  ///< Guarded by the mutex.
  std::thread accepting_;
};

}  // namespace f1_gazebo
