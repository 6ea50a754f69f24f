package standin

import (
	"archive/tar"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// archive is a context that is being written.
type archive struct{ *tar.Writer }

// embedded adds the files of an embedded folder, all of which may be executed.
func (a *archive) embedded(folder string) error {
	files, err := images.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := images.ReadFile(path.Join(folder, f.Name()))
		if err == nil {
			err = a.file(f.Name(), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) file(name string, data []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(data))}
	if err := a.WriteHeader(header); err != nil {
		return err
	}
	_, err := a.Write(data)
	return err
}

// hostFile adds a file of this machine, following links.
func (a *archive) hostFile(name, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return a.file(name, data)
}

// tree adds a folder of this machine, links as they are.
func (a *archive) tree(name, from string) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		return a.entry(path.Join(name, filepath.ToSlash(below)), file, entry)
	})
}

func (a *archive) entry(name, from string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(from); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name, header.Uid, header.Gid, header.Uname, header.Gname = name, 0, 0, "", ""
	if err := a.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(a, file)
	return err
}
