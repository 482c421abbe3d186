"""Create .venv and install the course into it. `make lab` and `make test` call this.

It starts on the Python that the reader happens to have, maybe a very old one, so it is
written in plain syntax, and uses nothing else until a suitable one runs it. Every failure
ends in one line that says what to do. A set-up that was interrupted goes on where it stopped.
"""

import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)  # for course_utils, which is not installed yet
NETWORK_SIGNS = (
    "ConnectionError", "Connection refused", "NewConnectionError", "Network is unreachable",
    "Temporary failure in name resolution", "Name or service not known", "nodename nor servname",
    "getaddrinfo failed", "timed out", "ProxyError", "No matching distribution",
)  # fmt: skip


def stop(message):
    sys.exit("set-up stopped: " + message)


def suitable(version):
    return (3, 11) <= tuple(version[:2]) <= (3, 13)


def find_python():
    """This interpreter if its version fits, else the newest fitting one on PATH."""
    if suitable(sys.version_info):
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11"):
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            print("python3 is {}.{}; using {}".format(sys.version_info[0], sys.version_info[1], path))
            return path
    stop(
        "this is Python {}.{}, and TensorFlow needs 3.11, 3.12 or 3.13. Install one of them from python.org "
        "(or with uv, conda or your system), then name it: make lab PYTHON=/path/to/python3.12".format(
            *sys.version_info[:2]
        )
    )


def check_machine(needed_gb):
    from course_utils import doctor

    if sys.platform == "darwin" and os.uname().machine == "x86_64":
        stop("TensorFlow has no build for Intel Macs since 2.17. Use the Colab or Binder link in the README.")
    missing = doctor.missing_python_parts()
    if missing:
        stop(
            "{} was built without {}, and the course can't start without it. Install Python "
            "from python.org, with uv or conda, then name it: make lab PYTHON=/path/to/python3.12".format(
                sys.executable, ", ".join(missing)
            )
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed_gb:
        stop(
            "only {:.1f} GB are free on this disk and the environment needs {:.0f} GB. "
            "Make room, or clone the course to another disk.".format(free, needed_gb)
        )


def make_venv(python, folder):
    """Create the environment; keep one that works (an interrupted set-up goes on)."""
    inside = venv_python(folder)
    spell_paths_in_ascii(folder)  # an installation that stopped before it came to this
    if (
        os.path.exists(inside)
        and subprocess.call([inside, "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0
    ):
        return inside
    probe = subprocess.call([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL)
    if probe != 0:
        stop(
            "this Python has no venv module. On Debian and Ubuntu: sudo apt install python3-venv; "
            "elsewhere install Python from python.org. Then run the command again."
        )
    done = subprocess.run(
        [python, "-m", "venv", "--clear", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        explain(done.stdout.decode(errors="replace"), "creating " + folder)
    return inside


def venv_python(folder):
    names = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(folder, *names)


def spell_paths_in_ascii(folder):
    """Rewrite the path file of the editable installation so that every Python reads it.

    It is written in UTF-8, and Python before 3.13 reads it in the locale's encoding: below a user's
    folder with a Chinese name, Windows' Python then finds no course_utils, or doesn't even start.
    """
    for packages in ("lib/python*/site-packages", "Lib/site-packages"):
        for path in glob.glob(os.path.join(glob.escape(folder), packages, "*large_models_course*.pth")):
            with open(path, "rb") as file:
                line = file.read().decode("utf-8").strip()
            if not line.isascii():
                with open(path, "w", encoding="ascii") as file:
                    file.write("import sys; sys.path.append({})\n".format(ascii(line)))


def explain(log, doing):
    """End with the one line that fits what the failed program printed."""
    if "No space left" in log or "Errno 28" in log or "not enough space" in log:
        stop("the disk is full. Make room and run it again.")
    if "Long Path" in log:
        stop("the folder's path is too long for Windows. Move the course to a short one, such as C:\\course.")
    if any(sign in log for sign in NETWORK_SIGNS):
        stop(
            "the package index can't be reached. Check the network or proxy and run the command again; what "
            "is already installed is kept. Without any network, copy a .venv from a machine of the same kind."
        )
    if "DO NOT MATCH THE HASHES" in log:
        stop("a package arrived damaged or altered, so it was refused. Run the command again.")
    last = [line for line in log.splitlines() if line.strip()][-5:]
    stop(doing + " failed:\n  " + "\n  ".join(last))


def pip(python, doing, *arguments):
    """Run pip: its progress goes to the reader's screen, its complaints to us."""
    print(doing + " ...", flush=True)
    command = [python, "-m", "pip", "install", "--disable-pip-version-check"] + list(arguments)
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE)
    if done.returncode != 0:
        explain(done.stderr.decode(errors="replace"), doing)


def main():
    python = find_python()
    if python != sys.executable:
        return subprocess.call([python, os.path.abspath(__file__)] + sys.argv[1:])
    from course_utils import console, doctor

    console.use_any_encoding()
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, ".venv"))
    check_machine(doctor.FREE_GB)
    inside = make_venv(python, folder)
    pip(inside, "installing the packages ({} GB to fetch, some minutes)".format(doctor.DOWNLOAD_GB),
        "--require-hashes", "--no-deps", "-r", "requirements.lock")  # fmt: skip
    # pip refuses a local folder in one call with hashed requirements, so it gets its own
    pip(inside, "installing course_utils", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    spell_paths_in_ascii(folder)
    stamp = os.path.join(folder, ".ready")
    with open(stamp, "w") as file:
        file.write("requirements.lock and course_utils are installed\n")
    print("ready: " + folder)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        stop("interrupted; the next call goes on from here.")
    except OSError as error:
        explain(str(error), "set-up")
