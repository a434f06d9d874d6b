//! What an entity does when it is used.

use crate::access::{Action, Denied, Target, Visitor};
use crate::announce::VOLUMES;
use crate::calls::{CallError, CallRequest, Passes};
use crate::dispatch::{Content, Destination, Destinations, DispatchError, Wish};

use super::house::{House, Place};
use super::table::TONES;

/// How a bell that rings is called.
pub(super) const BELL: &str = "Bell";

/// It cannot be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum ActError {
    /// What is announced.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// A call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// By whoever uses it.
    #[error(transparent)]
    Denied(#[from] Denied),
}

/// Something that is to be done in a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Home Assistant's speech of this text is to be heard.
    Announce(String),
    /// What Home Assistant has at this address is to be heard.
    Play(String),
    /// A bell is to ring.
    Ring {
        /// One of [`TONES`].
        tone: String,
        /// In decibels.
        volume: f32,
    },
    /// Whoever is there is to be called.
    Call,
    /// Whoever is there is not to be disturbed but by this, or is again.
    SetDoNotDisturb(Option<Passes>),
    /// Announcements are to be this loud, in percent.
    SetVolume(u8),
    /// Whatever is announced is to end.
    Stop,
}

impl Act {
    /// A bell of this tone, the first one without; as loud as this share of its own loudness.
    ///
    /// # Errors
    /// When there is no such tone.
    pub(super) fn ring(tone: Option<&str>, loudness: Option<f32>) -> Result<Self, String> {
        let tone = tone.unwrap_or(TONES[0]);
        if !TONES.contains(&tone) {
            return Err(format!("There is no tone {tone:?}, but {}", TONES.join(", ")));
        }
        // Half of it is 6 dB less.
        let volume = loudness.map_or(0.0, |share| (20.0 * share.min(1.0).log10()).max(*VOLUMES.start()));
        Ok(Self::Ring { tone: tone.to_owned(), volume })
    }

    /// Does it, for this visitor.
    ///
    /// # Errors
    /// When they may not, or it cannot be done.
    pub(super) async fn perform(self, place: &Place, visitor: &Visitor, house: &House) -> Result<(), ActError> {
        let to = vec![match place {
            Place::House => Destination::Everybody,
            Place::Room(room) => Destination::Room(room.clone()),
        }];
        let dispatcher = &house.dispatcher;
        let wish = match self {
            Self::Stop => return Ok(dispatcher.stop_in(visitor, Some(&to)).await?),
            Self::Call => {
                house.access.authorize(visitor, Action::Call, Target::House).await?;
                let request = CallRequest::to(place.id()).or_named(visitor.name.as_deref());
                house.calls.call(request, visitor.owner())?;
                return Ok(());
            }
            Self::SetDoNotDisturb(passes) => {
                house.access.authorize(visitor, Action::SetDoNotDisturb, Target::House).await?;
                house.calls.set_do_not_disturb(place.id(), passes, None)?;
                return Ok(());
            }
            Self::SetVolume(percent) => {
                for room in house.rooms_of(place) {
                    dispatcher.set_volume_in(visitor, &room, percent).await?;
                }
                return Ok(());
            }
            Self::Play(address) => {
                let manner = Wish { repeat: 1, ..Wish::default() }.manner()?;
                let admitted = dispatcher.admit(visitor, &to).await?;
                dispatcher.announce(admitted, Content::Address(address), manner).await?;
                return Ok(());
            }
            Self::Announce(text) => Wish { text: Some(text), ..Wish::default() },
            Self::Ring { tone, volume } => {
                Wish { file: Some(format!("{tone}.wav")), name: Some(BELL.into()), volume, ..Wish::default() }
            }
        };
        dispatcher.fulfil(visitor, Wish { to: Some(Destinations(to)), repeat: 1, ..wish }).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_has_tones_of_ours_and_is_quieter_by_its_share() {
        let volume = |share| match Act::ring(Some("gong"), share) {
            Ok(Act::Ring { volume, .. }) => volume,
            other => panic!("no bell: {other:?}"),
        };
        assert_eq!((volume(None), volume(Some(1.0)), volume(Some(7.0))), (0.0, 0.0, 0.0));
        assert!((volume(Some(0.5)) + 6.02).abs() < 0.01);
        assert!((volume(Some(0.0)) + 60.0).abs() < 0.01);
        assert!(Act::ring(Some("siren"), None).is_err_and(|why| why.contains("ding-dong")));
        assert!(matches!(Act::ring(None, None), Ok(Act::Ring { tone, .. }) if tone == "ding-dong"));
    }
}
