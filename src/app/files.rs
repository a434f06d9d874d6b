//! The audio files of the house, and whoever brings them.

use std::path::PathBuf;

use crate::config::Config;
use crate::data::DataFolder;
use crate::http::Files;
use crate::library::{Catalogue, Folder};
use crate::transfer::{FileServer, FileServerLimits};

use super::App;

/// The word for the usual folders of files, and the one of Home Assistant.
const AUTO_FOLDERS: &str = "auto";
const MEDIA_FOLDER: &str = "/media";

impl App {
    /// The files, and whoever brings them.
    pub(super) fn serve_files(&self, config: &Config) -> Files {
        let (folders, sounds) = folders(config);
        let data = DataFolder::new(config.data_dir.clone());
        let catalogue = Catalogue::new(folders, sounds, &data, config.files.max, config.files.default.clone());
        self.spawn("catalogue", catalogue.clone().keep_fresh());
        let crate::config::FilesConfig { clients, per_address, idle, .. } = config.files;
        let limits = FileServerLimits { clients, per_address, idle };
        let file_server = FileServer::new(self.files_relay.clone(), catalogue.clone(), limits);
        Files { catalogue, file_server, port: self.ports.files.port() }
    }
}

/// The folders of files, and the one among them where we make chimes.
fn folders(config: &Config) -> (Vec<Folder>, Option<PathBuf>) {
    if config.files.folders != [PathBuf::from(AUTO_FOLDERS)] {
        return (config.files.folders.iter().cloned().map(Folder::at).collect(), None);
    }
    let sounds = config.data_dir.join("sounds");
    let media = Some(PathBuf::from(MEDIA_FOLDER)).filter(|media| media.is_dir());
    ([sounds.clone()].into_iter().chain(media).map(Folder::at).collect(), Some(sounds))
}
