"""What the longest step of the set-up shows of itself."""

from harness.setup.simroot import BootstrapProgress


def test_phase_and_packages_so_far_are_told() -> None:
    progress = BootstrapProgress()
    told = [
        progress(f"{line}\n")
        for line in (
            "I: running apt-get update...",
            "I: installing essential packages...",
            "Unpacking gcc-10-base:amd64 (10.2.1-6) ...",
            "I: installing remaining packages inside the chroot...",
            "0 upgraded, 796 newly installed, 0 to remove and 0 not upgraded.",
            "Get:1 http://mirror.example/debian bullseye/main amd64 perl amd64 5.32 [2823 kB]",
            "Preparing to unpack .../perl_5.32_amd64.deb ...",
            "Unpacking perl (5.32) ...",
            "Unpacking perl-base (5.32) ...",
            "Setting up perl (5.32) ...",
        )
    ]
    remaining = "installing remaining packages inside the chroot"
    assert told == [
        "running apt-get update",
        "installing essential packages",
        "installing essential packages: 1 unpacked",
        remaining,
        remaining,
        f"{remaining}: 1 of 796 fetched",
        f"{remaining}: 1 of 796 fetched",
        f"{remaining}: 1 of 796 unpacked",
        f"{remaining}: 2 of 796 unpacked",
        f"{remaining}: 1 of 796 set up",
    ]
