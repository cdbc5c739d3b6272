# sources.sh - fetch a Debian source package; sourced by the suites that need one.
# shellcheck shell=dash
#
# apt's own lists and configuration stay as they are: a deb-src line made of the first mirror that it knows
# is used with lists in a private directory.

# fetch PACKAGE DIRECTORY: download the package's files.
fetch()
{
    # shellcheck disable=SC2016 # apt-get replaces them
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print; exit }')
    # shellcheck disable=SC2086 # words
    set -- "$1" "$2" $mirror
    if [ $# -lt 4 ]; then
        echo "apt knows no mirror of Debian bookworm"
        return 3
    fi
    apt=$2/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
    echo "deb-src $3 $4 main" >"$apt/parts/src.list"
    (
        cd "$2" || exit 1
        private="-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$apt/parts -o Dir::State::Lists=$apt/lists
            -o Dir::Cache=$apt/cache -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=root"
        # shellcheck disable=SC2086 # words
        timeout 300 apt-get $private update && timeout 300 apt-get $private source --download-only "$1"
    ) || {
        echo "the source package $1 could not be downloaded"
        return 3
    }
}
