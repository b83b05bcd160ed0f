// Command logcheck verifies a tiled transparency log with nothing but golang.org/x/mod/sumdb:
// note opens its checkpoint, tlog recomputes its tree. It shares no code with the Exchange.
//
//	logcheck -vkey KEY [-old CHECKPOINT]... [-proof FILE [-entry FILE]] [LOG]
//
// LOG is a folder or an http(s) prefix that holds checkpoint, tile/L/N and tile/entries/N as
// c2sp.org/tlog-tiles lays down. Everything is checked: the signature on the checkpoint, every
// tile, every entry, the inclusion of every entry, consistency with each older checkpoint. With
// -proof one c2sp.org/tlog-proof text is verified offline; LOG may then be left out.
//
// Prints one JSON object. Exit 0: all of it holds; 1: something does not; 2: usage.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type texts []string

func (t *texts) String() string     { return strings.Join(*t, ",") }
func (t *texts) Set(s string) error { *t = append(*t, s); return nil }

// head is a verified checkpoint.
type head struct {
	origin string
	tlog.Tree
}

type report struct {
	Origin     string  `json:"origin"`
	Size       int64   `json:"size"`
	Root       string  `json:"root"`
	Tiles      int     `json:"tiles"`
	Entries    int64   `json:"entries"`
	Inclusions int64   `json:"inclusions"`
	Consistent []int64 `json:"consistent"`
	Proven     int64   `json:"proven"`
}

func main() {
	var vkeys, olds texts
	flag.Var(&vkeys, "vkey", "a verifier key of the log; may be repeated")
	flag.Var(&olds, "old", "an older checkpoint to be consistent with; may be repeated")
	proof := flag.String("proof", "", "a tlog-proof text")
	entry := flag.String("entry", "", "the entry that the proof is about, if not in its extra line")
	flag.Parse()
	if flag.NArg() > 1 || len(vkeys) == 0 || (flag.NArg() == 0 && *proof == "") {
		flag.Usage()
		os.Exit(2)
	}
	said := report{Proven: -1, Consistent: []int64{}}
	err := check(&said, vkeys, olds, flag.Arg(0), *proof, *entry)
	if err != nil {
		fmt.Fprintln(os.Stderr, "logcheck:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(said)
}

func check(said *report, vkeys, olds texts, log, proof, entry string) error {
	keys, err := verifiers(vkeys)
	if err != nil {
		return err
	}
	if log != "" {
		if err := checkLog(said, keys, olds, source(log)); err != nil {
			return err
		}
	}
	if proof != "" {
		return checkProof(said, keys, proof, entry)
	}
	return nil
}

func verifiers(vkeys texts) (note.Verifiers, error) {
	var list []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

// openHead verifies a checkpoint: signed by a known key whose name is its origin.
func openHead(raw []byte, keys note.Verifiers) (head, error) {
	opened, err := note.Open(raw, keys)
	if err != nil {
		return head{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || opened.Sigs[0].Name != lines[0] {
		return head{}, errors.New("checkpoint: not of the log whose key signed it")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return head{}, errors.New("checkpoint: malformed size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return head{}, fmt.Errorf("checkpoint: %w", err)
	}
	return head{lines[0], tlog.Tree{N: size, Hash: root}}, nil
}

func checkLog(said *report, keys note.Verifiers, olds texts, read source) error {
	raw, err := read.file("checkpoint")
	if err != nil {
		return err
	}
	signed, err := openHead(raw, keys)
	if err != nil {
		return err
	}
	said.Origin, said.Size, said.Root = signed.origin, signed.N, signed.Hash.String()
	hashes, err := checkEntries(said, signed, read)
	if err != nil {
		return err
	}
	if err := checkTiles(said, signed, hashes, read); err != nil {
		return err
	}
	// From here on only what the served tiles say, each authenticated against the signed root.
	served := tlog.TileHashReader(signed.Tree, tiles{read})
	for index := int64(0); index < signed.N; index++ {
		path, err := tlog.ProveRecord(signed.N, index, served)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(path, signed.N, signed.Hash, index, leaf[0]); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		said.Inclusions++
	}
	return checkConsistency(said, keys, olds, signed, served)
}

// checkEntries hashes every entry and compares the root over them with the signed one.
func checkEntries(said *report, signed head, read source) (stored, error) {
	hashes := stored{}
	for first := int64(0); first < signed.N; first += 1 << height {
		width := signed.N - first
		if width > 1<<height {
			width = 1 << height
		}
		raw, err := read.file(path("entries", first>>height, width))
		if err != nil {
			return nil, err
		}
		for index := first; index < first+width; index++ {
			if len(raw) < 2 || len(raw) < 2+int(binary.BigEndian.Uint16(raw)) {
				return nil, fmt.Errorf("entry %d: bundle cut short", index)
			}
			end := 2 + int(binary.BigEndian.Uint16(raw))
			made, err := tlog.StoredHashes(index, raw[2:end], hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, made...)
			raw = raw[end:]
			said.Entries++
		}
		if len(raw) != 0 {
			return nil, fmt.Errorf("entries from %d on: bytes left over", first)
		}
	}
	root, err := tlog.TreeHash(signed.N, hashes)
	if err != nil {
		return nil, err
	}
	if root != signed.Hash {
		return nil, fmt.Errorf("the entries have root %v, the checkpoint %v", root, signed.Hash)
	}
	return hashes, nil
}

// checkTiles compares every served tile with the hashes of the entries.
func checkTiles(said *report, signed head, hashes stored, read source) error {
	for _, tile := range tlog.NewTiles(height, 0, signed.N) {
		wanted, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		raw, err := read.file(tilePath(tile))
		if err != nil {
			return err
		}
		if !bytes.Equal(raw, wanted) {
			return fmt.Errorf("%s is not the tile of these entries", tilePath(tile))
		}
		said.Tiles++
	}
	return nil
}

func checkConsistency(
	said *report, keys note.Verifiers, olds texts, signed head, hashes tlog.HashReader,
) error {
	for _, old := range olds {
		raw, err := os.ReadFile(old)
		if err != nil {
			return err
		}
		earlier, err := openHead(raw, keys)
		if err != nil {
			return err
		}
		if earlier.origin != signed.origin || earlier.N > signed.N {
			return fmt.Errorf("a checkpoint of %d entries was signed before", earlier.N)
		}
		proof, err := tlog.ProveTree(signed.N, earlier.N, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, signed.N, signed.Hash, earlier.N, earlier.Hash); err != nil {
			return fmt.Errorf("not consistent with the checkpoint of %d entries: %w", earlier.N, err)
		}
		said.Consistent = append(said.Consistent, earlier.N)
	}
	return nil
}

// checkProof verifies one tlog-proof text; the entry stands in it or in a file of its own.
func checkProof(said *report, keys note.Verifiers, file, entryFile string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	top, checkpoint, found := strings.Cut(string(raw), "\n\n")
	lines := strings.Split(top, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("proof: not a tlog-proof")
	}
	lines = lines[1:]
	var entry []byte
	if strings.HasPrefix(lines[0], "extra ") {
		extra := strings.TrimPrefix(lines[0], "extra ")
		if entry, err = base64.StdEncoding.Strict().DecodeString(extra); err != nil {
			return fmt.Errorf("proof: %w", err)
		}
		lines = lines[1:]
	}
	if entryFile != "" {
		if entry, err = os.ReadFile(entryFile); err != nil {
			return err
		}
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("proof: no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return fmt.Errorf("proof: %w", err)
		}
		path = append(path, hash)
	}
	signed, err := openHead([]byte(checkpoint), keys)
	if err != nil {
		return err
	}
	err = tlog.CheckRecord(path, signed.N, signed.Hash, index, tlog.RecordHash(entry))
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	said.Proven = index
	if said.Origin == "" {
		said.Origin, said.Size, said.Root = signed.origin, signed.N, signed.Hash.String()
	}
	return nil
}

// stored holds the hashes of a tree at their stored indexes.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash at %d", index)
		}
		found = append(found, s[index])
	}
	return found, nil
}

// tiles reads tiles of height 8 for tlog.
type tiles struct{ read source }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(wanted))
	for _, tile := range wanted {
		raw, err := t.read.file(tilePath(tile))
		if err != nil {
			return nil, err
		}
		found = append(found, raw)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func tilePath(tile tlog.Tile) string {
	return path(strconv.Itoa(tile.L), tile.N, int64(tile.W))
}

// path is where c2sp.org/tlog-tiles puts a tile or, at level "entries", a bundle.
func path(level string, index, width int64) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if width < 1<<height {
		name += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + name
}

// source is a folder or an http(s) prefix.
type source string

func (s source) file(name string) ([]byte, error) {
	if !strings.HasPrefix(string(s), "http") {
		return os.ReadFile(filepath.Join(string(s), filepath.FromSlash(name)))
	}
	response, err := http.Get(strings.TrimSuffix(string(s), "/") + "/" + name)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, response.Status)
	}
	return io.ReadAll(response.Body)
}
